"""GStreamer's RTSP server as a program (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good).

    /usr/bin/python3 gst_server.py WIDTH HEIGHT RATE

Takes JPEG pictures from stdin (four bytes of length, then the picture), serves the newest to every client, and prints
its port. It runs under the system's interpreter, which has the bindings.
"""

import importlib
import sys
import threading

gi = importlib.import_module("gi")
for library in ("Gst", "GstRtspServer", "GstApp"):
    gi.require_version(library, "1.0")
Gst, GstRtspServer, GLib = (
    importlib.import_module(f"gi.repository.{name}") for name in ("Gst", "GstRtspServer", "GLib")
)


def main(width: int, height: int, rate: int) -> None:
    """Serve until stdin ends."""
    Gst.init(None)
    sources: set[object] = set()
    lock = threading.Lock()
    caps = f"image/jpeg,width={width},height={height},framerate={rate}/1"
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=source is-live=true format=time do-timestamp=true caps={caps} ! rtpjpegpay name=pay0 pt=26 )"
    )

    def on_media(_factory: object, media: object) -> None:
        source = media.get_element().get_by_name("source")  # type: ignore[attr-defined] # GObject, without types
        with lock:
            sources.add(source)

        def gone(_media: object) -> None:
            with lock:
                sources.discard(source)

        media.connect("unprepared", gone)  # type: ignore[attr-defined] # GObject, without types

    factory.connect("media-configure", on_media)
    server.get_mount_points().add_factory("/line", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)  # noqa: T201 - read by the test
    loop = GLib.MainLoop()

    def feed() -> None:
        stream = sys.stdin.buffer
        while (head := stream.read(4)) and len(head) == 4:
            content = stream.read(int.from_bytes(head, "big"))
            with lock:
                for source in sources:
                    source.emit("push-buffer", Gst.Buffer.new_wrapped(content))  # type: ignore[attr-defined] # GObject
        loop.quit()

    threading.Thread(target=feed, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
