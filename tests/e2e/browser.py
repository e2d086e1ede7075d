"""Headless Chromium over the DevTools protocol: one page, what it logged, its accessibility tree, keys and sizes."""
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

try:
    import websocket
except ImportError:
    websocket = None

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ABSENT = ("chromium is not installed" if PROGRAM is None
          else "python3-websocket is not installed" if websocket is None else None)
PATIENCE = 30.0

RECORD_VIOLATIONS = """
addEventListener('securitypolicyviolation', (e) => (window.violations ??= []).push(
  `${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


class Browser:
    def __init__(self, *more):
        self.folder = Path(tempfile.mkdtemp(prefix="quorate-browser-"))
        words = [PROGRAM, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.folder}",
                 "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--font-render-hinting=none", "--hide-scrollbars"]
        if os.geteuid() == 0:  # its sandbox refuses to run as root
            words.append("--no-sandbox")
        self.process = subprocess.Popen([*words, *more, "about:blank"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port, path = self._wait_for(self._address)
        self.socket = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=PATIENCE,
                                                  suppress_origin=True)
        self.numbers = itertools.count(1)
        self.events = []

    def _address(self):
        assert self.process.poll() is None, "chromium ended at once"
        file = self.folder / "DevToolsActivePort"
        lines = file.read_text().splitlines() if file.exists() else []
        return lines if len(lines) == 2 else None

    @staticmethod
    def _wait_for(condition):
        deadline = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < deadline, "chromium did not start"
            time.sleep(0.02)
        return value

    def call(self, method, session=None, **params):
        number = next(self.numbers)
        request = {"id": number, "method": method, "params": params}
        self.socket.send(json.dumps({**request, "sessionId": session} if session else request))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert "error" not in message, (method, message)
                return message["result"]
            self.events.append(message)

    def page(self, **options):
        return Page(self, **options)

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:  # it is ended in any case
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


HURRY = "const wait = setTimeout; window.setTimeout = (what, ms) => wait(what, ms / %d);"


class Page:
    """One tab. width and height in CSS pixels; scheme light or dark; hurry: its timers run so many times faster."""

    def __init__(self, browser, width=1280, height=900, scheme="light", reduced_motion=False, hurry=1):
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source="{%s %s}" % (RECORD_VIOLATIONS, HURRY % hurry))
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.resize(width, height)
        self.media(scheme, reduced_motion)

    def call(self, method, **params):
        return self.browser.call(method, session=self.session, **params)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=False)

    def media(self, scheme="light", reduced_motion=False):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"}])

    def open(self, url):
        self.browser.events.clear()
        self.call("Page.navigate", url=url)
        return self.wait("document.documentElement?.dataset.round > 0")

    def js(self, expression):
        """The value of an expression; a promise is waited for."""
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    def wait(self, expression, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while not self.js(expression):
            assert time.monotonic() < deadline, f"waited {patience} s for {expression}:\n{self.text()[:3000]}"
            time.sleep(0.02)
        return self

    def text(self, selector="body"):
        return self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? null")

    def key(self, key, shift=False):
        code = {"Tab": 9, "Enter": 13, " ": 32}[key]
        words = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code,
                 "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **words,
                  **({"text": "\r" if key == "Enter" else key} if key != "Tab" else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)

    def wrong(self, network=False):
        """What the page logged as warnings or errors, threw, or violated of its policy; failed requests on demand."""
        self.js("1")  # what came before has been read then
        found = list(self.js("window.violations ?? []"))
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            what, params = event["method"], event["params"]
            if what == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            elif what == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                found.append(params["args"])
            elif what == "Log.entryAdded" and (network or params["entry"]["source"] != "network"):
                found.append(params["entry"])
        return found

    def tree(self):
        """The accessibility tree: [(role, name, properties)] of what is not ignored."""
        nodes = {n["nodeId"]: n for n in self.call("Accessibility.getFullAXTree")["nodes"]}

        def in_order(n):
            if not n.get("ignored"):
                yield (n.get("role", {}).get("value"), n.get("name", {}).get("value", ""),
                       {p["name"]: p["value"].get("value") for p in n.get("properties", [])})
            for child in n.get("childIds", []):
                if child in nodes:
                    yield from in_order(nodes[child])

        return list(in_order(next(n for n in nodes.values() if "parentId" not in n)))

    def screenshot(self, path):
        Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
