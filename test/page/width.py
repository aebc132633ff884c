# SPDX-License-Identifier: MIT
# Shows a page in Chromium as a screen of WIDTH pixels does, and prints how wide it has become, and which elements
# reach beyond. The window of Chromium itself is never narrower than 500 pixels, so it is told by its debugging pipe.
# width.py DIRECTORY WIDTH URL [PICTURE]
import base64
import sys

from browser import Browser

directory, width, url = sys.argv[1], int(sys.argv[2]), sys.argv[3]
browser = Browser(directory)
browser.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=True)
browser.call("Page.navigate", url=url)
browser.wait("document.querySelectorAll('#live .tiles b').length > 0")  # it has drawn what it has asked for
beyond = browser.value("""[...document.querySelectorAll('body *')].filter(e => {
  for (let p = e.parentElement; p; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return false;
  return e.getBoundingClientRect().right > innerWidth + 0.5}).map(e => e.tagName + '.' + e.getAttribute('class')).slice(0, 9)
  .join(' ')""")
print(browser.value("document.documentElement.scrollWidth"), beyond)
if len(sys.argv) > 4:
    picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
    with open(sys.argv[4], "wb") as file:
        file.write(base64.b64decode(picture))
browser.close()
