// The status page's script: live regions, ticking ages, the overlay switch, judging by touch and by key.
"use strict";
(() => {
  const body = document.body;
  let clockOffset = Number(body.dataset.now) - Date.now();

  // ---- ages tick here, from the server's clock, so that an old number never looks new
  const STEPS = [["seconds", 1, 60], ["minutes", 60, 3600], ["hours", 3600, 86400], ["days", 86400, Infinity]];
  function ageWords(seconds) {
    if (seconds < 2) return body.dataset.ageNow;
    const [unit, size] = STEPS.find((step) => seconds < step[2]);
    const words = body.dataset["age" + unit[0].toUpperCase() + unit.slice(1)];
    return words.replace("{n}", String(Math.floor(seconds / size)));
  }
  function tick(root) {
    const now = Date.now() + clockOffset;
    for (const element of root.querySelectorAll("time[data-at]")) {
      const words = ageWords((now - Number(element.dataset.at)) / 1000);
      if (element.textContent !== words) element.textContent = words;
    }
  }

  // ---- the overlay switch, remembered on this device
  function stored(key) { try { return localStorage.getItem(key); } catch { return null; } }
  function store(key, value) { try { localStorage.setItem(key, value); } catch { /* private window: for this page only */ } }
  const overlay = document.getElementById("overlay");
  function showOverlay(on) {
    body.classList.toggle("no-heat", !on);
    if (overlay) overlay.setAttribute("aria-pressed", String(on));
  }
  showOverlay(stored("lineproof-overlay") !== "off");
  if (overlay) overlay.addEventListener("click", () => {
    const on = overlay.getAttribute("aria-pressed") !== "true";
    store("lineproof-overlay", on ? "on" : "off");
    showOverlay(on);
  });

  // ---- live regions
  const LOST_AFTER_MS = 6500;
  const IMAGE_PATIENCE_MS = 1500;
  const newest = new Map();
  let held = false;
  let heardAt = performance.now();

  function setLost(lost) {
    body.classList.toggle("lost", lost);
    const notice = document.getElementById("lost");
    if (notice.hidden === lost) notice.hidden = !lost;
  }
  function heard() { heardAt = performance.now(); setLost(false); }

  // pictures are fetched before they are shown, and nothing is replaced under a finger
  async function replace(name, html) {
    newest.set(name, html);
    const next = document.createElement("template");
    next.innerHTML = html;
    const loads = [...next.content.querySelectorAll("img")].map((image) => {
      const ahead = new Image();
      ahead.src = image.getAttribute("src");
      return ahead.decode().catch(() => undefined);
    });
    if (loads.length) await Promise.race([Promise.all(loads), new Promise((done) => setTimeout(done, IMAGE_PATIENCE_MS))]);
    if (newest.get(name) === html) swap(name, next);
  }
  function swap(name, next) {
    if (held) { setTimeout(() => { if (newest.get(name) !== undefined) swap(name, next); }, 100); return; }
    const region = document.querySelector(`[data-region="${name}"]`);
    if (!region) return;
    const focused = region.contains(document.activeElement) ? [...region.querySelectorAll("a,button")].indexOf(document.activeElement) : -1;
    region.replaceChildren(next.content);
    if (focused >= 0) { const again = region.querySelectorAll("a,button")[focused]; if (again) again.focus({ preventScroll: true }); }
    tick(region);
    if (name === "band") { const word = region.querySelector("h1"); if (word) document.title = word.textContent + document.title.slice(document.title.indexOf(" · ")); }
  }
  addEventListener("pointerdown", () => { held = true; });
  for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { setTimeout(() => { held = false; }, 50); });

  if (body.dataset.live) {
    let stream;
    function connect() {
      stream = new EventSource(body.dataset.live);
      stream.addEventListener("regions", (message) => {
        heard();
        for (const [name, html] of Object.entries(JSON.parse(message.data))) replace(name, html);
      });
      stream.addEventListener("pulse", (message) => { clockOffset = Number(message.data) - Date.now(); heard(); });
      stream.addEventListener("error", () => setLost(true));
    }
    connect();
    setInterval(() => { if (performance.now() - heardAt > LOST_AFTER_MS) setLost(true); }, 500);
    // a refused stream (too many pages, a restarting agent) is not tried again by the browser
    setInterval(() => { if (stream.readyState === EventSource.CLOSED) connect(); }, 3000);
  }
  setInterval(() => tick(document), 1000);

  // ---- judging
  const form = document.getElementById("judging");
  if (form) {
    const outcome = document.getElementById("outcome");
    const buttons = [...form.querySelectorAll("button[data-key]")];
    // one id for each act of judging: sent again with a retry, so that the judgement is stored once
    const ids = new Map();
    const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const choice = event.submitter;
      const fields = Object.fromEntries(new FormData(form, choice));
      const content = JSON.stringify(fields);
      if (!ids.has(content)) ids.set(content, newId());
      fields.id = ids.get(content);
      outcome.className = "";
      outcome.textContent = body.dataset.sending;
      for (const button of buttons) button.disabled = true;
      try {
        const answer = await fetch(form.action, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
        const told = await answer.json();
        if (!answer.ok) throw new Error(told.error.message + " " + told.error.hint);
        outcome.className = "saved";
        outcome.textContent = body.dataset.saved.replace("{judgement}", choice.dataset.word);
        const queue = new URL("/review", location.href);
        queue.searchParams.set("line", told.line);
        setTimeout(() => location.assign(queue), 600);
      } catch (error) {
        outcome.className = "failed";
        const message = error instanceof TypeError ? body.dataset.offline : error.message;
        outcome.textContent = body.dataset.failed.replace("{message}", message);
        for (const button of buttons) button.disabled = false;
      }
    });
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      if (event.target instanceof HTMLInputElement) return;
      const button = buttons.find((candidate) => candidate.dataset.key === event.key);
      if (button && !button.disabled) { event.preventDefault(); form.requestSubmit(button); }
    });
  } else if (location.pathname === "/review") {
    setInterval(() => location.reload(), 15000);
  }
})();
