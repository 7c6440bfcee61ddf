// Forms that record an act: sent without leaving the page, so that a refusal can be read and what was typed stays.
"use strict";
(() => {
  const words = document.body.dataset;
  const SAVED_SHOWN_MS = 500;
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  function fieldsOf(form) {
    const fields = {};
    for (const [name, value] of new FormData(form)) {
      if (value === "" || name === "id") continue;
      if (name === "stops") (fields.stops ??= []).push(value);
      else fields[name] = value;
    }
    return fields;
  }

  for (const form of document.querySelectorAll("form[data-record]")) {
    const outcome = form.querySelector(".outcome");
    const button = form.querySelector("button");
    // one id for each content: sent again with a retry, so that the act is stored once
    const ids = new Map();
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = fieldsOf(form);
      const content = JSON.stringify(fields);
      if (!ids.has(content)) ids.set(content, newId());
      fields.id = ids.get(content);
      outcome.className = "outcome";
      outcome.textContent = words.sending;
      button.disabled = true;
      try {
        // not form.action: a field may have that name
        const answer = await fetch(form.getAttribute("action"), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
        const told = await answer.json();
        if (!answer.ok) throw new Error(told.error.message + " " + told.error.hint);
        outcome.className = "outcome saved";
        outcome.textContent = words.done;
        setTimeout(() => location.reload(), SAVED_SHOWN_MS);
      } catch (error) {
        outcome.className = "outcome failed";
        const message = error instanceof TypeError ? words.offline : error.message;
        outcome.textContent = words.failed.replace("{message}", message);
        button.disabled = false;
      }
    });
  }
})();
