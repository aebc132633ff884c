# SPDX-License-Identifier: MIT
# Shows a page in Chromium as a screen of WIDTH pixels does, and prints how wide it has become, and which elements
# reach beyond. The window of Chromium itself is never narrower than 500 pixels, so it is told by its debugging pipe.
# page_width.py DIRECTORY WIDTH URL [PICTURE]
import base64
import fcntl
import json
import os
import subprocess
import sys
import time

directory, width, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
to_read, to_write = os.pipe()
answers, answered = os.pipe()
# The descriptors that Chromium wants may be taken by one of the pipes.
asked, tells = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (to_read, answered))


def descriptors():
    os.dup2(asked, 3)
    os.dup2(tells, 4)


command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
           "--user-data-dir=" + directory, "--remote-debugging-pipe", "about:blank"]
browser = subprocess.Popen(command, preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
for end in (to_read, answered, asked, tells):
    os.close(end)
received = b""
number = 0


def call(method, session=None, **parameters):
    global received, number
    number += 1
    message = {"id": number, "method": method, "params": parameters}
    if session:
        message["sessionId"] = session
    os.write(to_write, json.dumps(message).encode() + b"\0")
    while True:
        while b"\0" not in received:
            more = os.read(answers, 65536)
            if not more:
                sys.exit("chromium has ended")
            received += more
        one, received = received.split(b"\0", 1)
        answer = json.loads(one)
        if answer.get("id") == number:
            return answer["result"]


def value(session, expression):
    return call("Runtime.evaluate", session, expression=expression, returnByValue=True)["result"].get("value")


target = call("Target.createTarget", url="about:blank")["targetId"]
session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
call("Emulation.setDeviceMetricsOverride", session, width=width, height=844, deviceScaleFactor=1, mobile=True)
call("Page.navigate", session, url=url)
for _ in range(300):  # until the page has drawn what it has asked for
    if value(session, "document.querySelectorAll('#live .tiles b').length"):
        break
    time.sleep(0.1)
beyond = value(session, """[...document.querySelectorAll('body *')].filter(e => {
  for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return false;
  return e.getBoundingClientRect().right > innerWidth + 0.5}).map(e => e.tagName + '.' + e.getAttribute('class')).slice(0, 9)
  .join(' ')""")
print(value(session, "document.documentElement.scrollWidth"), beyond)
if len(sys.argv) > 4:
    picture = call("Page.captureScreenshot", session, captureBeyondViewport=True)["data"]
    with open(sys.argv[4], "wb") as file:
        file.write(base64.b64decode(picture))
call("Browser.close")
browser.wait()
