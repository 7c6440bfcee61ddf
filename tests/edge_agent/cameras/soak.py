"""Random faults between an RTSP camera and a station for a while; prints how many verdicts stood on stale pictures.

    python -m tests.edge_agent.cameras.soak --seconds 300 --seed 1 [--server gstreamer]

Every picture carries the moment when it was taken, so its age does not depend on what the agent believes. Verdicts of
both ways are counted: without trigger, the newest picture; with trigger, the picture of the part.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import statistics
import threading
import time
from contextlib import ExitStack

from tests.edge_agent.cameras.camera_rig import RATE_HZ, CameraStation
from tests.edge_agent.cameras.faulty_network import FaultyNetwork
from tests.edge_agent.cameras.gst_camera import GstCamera
from tests.edge_agent.cameras.numbered_pictures import jpeg
from tests.edge_agent.cameras.rtsp_camera import RtspCamera

_FAULTS = ("cut", "refuse", "hold", "hiccup", "thin")
_TOLERANCE_MS = 100.0
_TRIGGER = {"tolerance_ms": _TOLERANCE_MS}


def disturb(network: FaultyNetwork, fault: str, chance: random.Random) -> None:
    """One fault, from beginning to end."""
    if fault == "cut":
        network.cut()
    elif fault == "refuse":
        network.go_down()
        time.sleep(chance.uniform(0.2, 2.0))
        network.come_up()
    elif fault in {"hold", "hiccup"}:
        network.held = True
        time.sleep(chance.uniform(2.6, 4.0) if fault == "hold" else chance.uniform(0.1, 2.0))
        network.held = False
    else:
        needed = RATE_HZ * len(jpeg(0))
        network.bytes_per_s = chance.uniform(0.4, 0.9) * needed  # frames come ever later
        time.sleep(chance.uniform(2.0, 5.0))
        network.bytes_per_s = None


def main() -> None:
    """Run and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=("own", "gstreamer"), default="gstreamer")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    done: collections.Counter[str] = collections.Counter()
    moments: dict[str, int] = {}
    with ExitStack() as stack:
        camera: GstCamera | RtspCamera = GstCamera(RATE_HZ) if asked.server == "gstreamer" else RtspCamera(RATE_HZ)
        stack.enter_context(camera)
        network = stack.enter_context(FaultyNetwork(camera.port))
        address = f"rtsp://127.0.0.1:{network.port}/line"
        free = stack.enter_context(CameraStation(address, stall_after_s=2.5, fault_limit_s=4.0))
        parts = stack.enter_context(CameraStation(address, stall_after_s=2.5, fault_limit_s=4.0, trigger=_TRIGGER))
        until_s = time.monotonic() + asked.seconds

        def disturbing() -> None:
            while time.monotonic() < until_s:
                time.sleep(chance.uniform(0.3, 5.0))
                fault = chance.choice(_FAULTS)
                disturb(network, fault, chance)
                done[fault] += 1

        disturber = threading.Thread(target=disturbing)
        disturber.start()
        parts_chance = random.Random(asked.seed + 1)
        while time.monotonic() < until_s:
            part = f"part-{len(moments)}"
            moments[part] = parts.trigger(part)
            time.sleep(parts_chance.uniform(0.05, 0.3))
        disturber.join()
        parts.wait(lambda: len(parts.verdicts) == len(moments), "a verdict for each part")
        frames = {
            fate: free.count("lineproof_camera_frames_total", fate=fate) for fate in ("usable", "late", "starting")
        }
    passed = parts.passed()
    # the picture's own moment against the trigger's; a picture's number is exact to one frame
    apart = [
        abs((verdict.claim_error_s or 0.0) + (moments[verdict.body.part_id] - verdict.captured_ns) / 1e9)
        for verdict in passed
    ]
    ages = [verdict.picture_age_s or 0.0 for verdict in free.passed()]
    result = {
        "server": asked.server,
        "seconds": asked.seconds,
        "faults": dict(done),
        "frames": frames,
        "free": {
            "verdicts": len(free.verdicts),
            "pass": len(ages),
            "pass_on_stale_frames": len(free.stale()),
            "age_s": {"median": round(statistics.median(ages), 3), "max": round(max(ages), 3)},
        },
        "triggered": {
            "parts": len(moments),
            "verdicts": len(parts.verdicts),
            "pass": len(passed),
            "no_verdict": len(parts.verdicts) - len(passed),
            "apart_s": {"median": round(statistics.median(apart), 3), "max": round(max(apart), 3)},
            "pass_on_wrong_frames": sum(value > _TOLERANCE_MS / 1e3 + 2 / RATE_HZ for value in apart),
        },
    }
    print(json.dumps(result, indent=1))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
