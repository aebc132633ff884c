# SPDX-License-Identifier: MIT
# Chromium without a window, told by its debugging pipe what to show.
import fcntl
import json
import os
import subprocess
import sys
import time


class Browser:
    def __init__(self, directory):
        to_read, self.to_write = os.pipe()
        self.answers, answered = os.pipe()
        # The descriptors that Chromium wants may be taken by one of the pipes.
        asked, tells = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (to_read, answered))

        def descriptors():
            os.dup2(asked, 3)
            os.dup2(tells, 4)

        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--user-data-dir=" + directory, "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(command, preexec_fn=descriptors, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in (to_read, answered, asked, tells):
            os.close(end)
        self.received = b""
        self.number = 0
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.received:
                more = os.read(self.answers, 65536)
                if not more:
                    sys.exit("chromium has ended")
                self.received += more
            one, self.received = self.received.split(b"\0", 1)
            answer = json.loads(one)
            if answer.get("id") == self.number:
                return answer["result"]

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit("chromium: " + answer["exceptionDetails"]["exception"].get("description", "an exception"))
        return answer["result"].get("value")

    # Until the expression is true, for half a minute.
    def wait(self, expression):
        for _ in range(300):
            if self.value(expression):
                return
            time.sleep(0.1)
        sys.exit("the page never has " + expression)

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()
