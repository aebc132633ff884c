# SPDX-License-Identifier: MIT
# Reads every figure that the page of a server shows, with its script in Chromium and without, and compares it with
# /status.json and with broodctl. Prints how many it has compared, and each that is another one.
# figures.py BROODCTL DIRECTORY CHROMIUM_DIRECTORY URL
import html.parser
import json
import re
import subprocess
import sys
import time
import urllib.request

from browser import Browser

broodctl, directory, chromium, url = sys.argv[1:5]
compared = 0
wrong = []


def check(where, right, shown, expected):
    global compared
    compared += 1
    if not right:
        wrong.append("%s: shown '%s', expected '%s'" % (where, shown, expected))


def same(where, shown, expected):
    check(where, shown == expected, shown, expected)


# 1,234
def count(number):
    return format(number, ",")


units = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50, "ns": 1e-9, "us": 1e-6,
         "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "": 1}


# "1.2 MiB", "1m30s", "2 h 3 min": the value, and what its last digit stands for.
def measure(text):
    value, step = 0, 1
    parts = re.findall(r"([\d,]+(?:\.(\d+))?) ?([A-Za-zµ]*)", text)
    if not parts or re.sub(r"[\d,]+(?:\.(\d+))? ?[A-Za-zµ]*", "", text).strip():
        return None
    for digits, decimals, unit in parts:
        if unit not in units:
            return None
        value += float(digits.replace(",", "")) * units[unit]
        step = units[unit] * 10 ** -len(decimals)
    return value, step


# A time or a size is as exact as its text. Between two numbers, if the second is there.
def near(where, shown, lowest, highest=None):
    highest = lowest if highest is None else highest
    told = measure(shown)
    check(where, told and lowest - told[1] <= told[0] <= highest + told[1], shown, "%s to %s" % (lowest, highest))


def get(path):
    with urllib.request.urlopen(url + path, timeout=60) as answer:
        return answer.read().decode()


def status():
    return json.loads(get("status.json"))


def of_broodctl():
    # It exits with 1 or 2 if there are problems, which is no failure.
    return json.loads(subprocess.run([broodctl, "--runtime-directory=" + directory, "--json", "status"],
                                     stdout=subprocess.PIPE, check=False).stdout)


# What the clock alone moves.
moving = {"seconds_ago", "age_seconds", "busy_for_seconds", "busy_seconds"}

# The status listener does not look at the processes of children: it would need rights that it has given up.
of_processes = {"private_bytes", "cpu_seconds", "descriptors"}


def moves(path):
    return not moving.isdisjoint(path.split("/")[-2:])


def leaves(value, path=""):
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, path + "/" + key)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, path + "/" + str(number))
    else:
        yield path, value


def still(one, other):
    left, right = dict(leaves(one)), dict(leaves(other))
    return left.keys() == right.keys() and all(
        value == right[path] for path, value in left.items() if not moves(path))


def between(where, shown, before, after):
    all_shown, low, high = dict(leaves(shown)), dict(leaves(before)), dict(leaves(after))
    same(where + ": the keys", all_shown.keys(), low.keys())
    for path in low.keys() & all_shown.keys():
        value = all_shown[path]
        if path.rsplit("/", 1)[1] in of_processes:
            continue
        if moves(path):
            check(where + path, low[path] <= value <= high[path], value, "%s to %s" % (low[path], high[path]))
        else:
            same(where + path, value, low[path])


# Tables, list items, and so on; the end tags of rows and cells may be missing.
class Plain(html.parser.HTMLParser):
    def __init__(self, source):
        super().__init__()
        self.tables, self.texts, self.at = [], {}, []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag in ("h1", "li", "pre", "title", "small", "p", "span"):
            self.texts.setdefault(tag, []).append("")
        self.at.append(tag)

    def handle_endtag(self, tag):
        while self.at and self.at.pop() != tag:
            pass

    def handle_data(self, data):
        tag = self.at[-1] if self.at else ""
        if tag in ("td", "th"):
            self.tables[-1][-1][-1] += data.rstrip("\n")
        elif tag in self.texts:
            self.texts[tag][-1] += data


def harmless(text):
    return "".join(c if " " <= c <= "~" else "".join("\\x%02x" % byte for byte in c.encode()) for c in text)


def children_of(json_):
    return [(service, slot) for service in json_["services"] for slot in service["slots"] if slot["state"] != "empty"]


# The rows of the table of children, with those that are busy for the longest time first.
def plain_children(where, table, before, after):
    heads = ["service", "slot", "pid", "state", "age", "busy for", "open", "accepted", "failed", "peer", "note"]
    same(where + ": heads", table[0], heads)
    now = {slot["pid"]: slot for _, slot in children_of(after)}
    children = sorted(children_of(before), key=lambda child: -child[1]["busy_for_seconds"])
    for (service, slot), row in zip(children, table[1:]):
        at = "%s: slot %s: " % (where, slot["slot"])
        figures, later = slot["figures"], now[slot["pid"]]
        row = dict(zip(heads, row))
        for name, expected in {
                "service": service["name"], "slot": str(slot["slot"]), "pid": str(slot["pid"]),
                "state": slot["state"] + (", stopped" if slot["stopped"] else ""),
                "open": str(slot["open_connections"]), "accepted": count(figures["accepted"]),
                "failed": count(figures["failed"]), "peer": harmless(slot["peer"]),
                "note": harmless(slot["note"])}.items():
            same(at + name, row[name], expected)
        near(at + "age", row["age"], slot["age_seconds"], later["age_seconds"])
        if slot["busy_for_seconds"] > 0:
            near(at + "busy for", row["busy for"], slot["busy_for_seconds"], later["busy_for_seconds"])
        else:
            same(at + "busy for", row["busy for"], "")
    return len(children), len(table) - 1


def compare_head(where, plain, before, after):
    same(where + ": title", plain.texts["title"], [before["name"]])
    same(where + ": name", plain.texts["h1"], [before["name"]])
    same(where + ": verdict", plain.texts["span"][0], before["verdict"])
    same(where + ": problems", plain.texts.get("li", []), [problem["text"] for problem in before["problems"]])
    up, pid = re.fullmatch(r"up (.*), pid (\d+)", plain.texts["small"][0]).groups()
    near(where + ": up", up, before["parent"]["age_seconds"], after["parent"]["age_seconds"])
    same(where + ": pid", pid, str(before["parent"]["pid"]))


def compare_plain(before, page, all_children, after):
    plain = Plain(page)
    compare_head("/", plain, before, after)
    services, children = plain.tables[:2]
    heads = services[0]
    same("/: services", len(services) - 1, len(before["services"]))
    for service, row in zip(before["services"], services[1:]):
        at, child, total = "/: " + service["name"] + ": ", service["children"], service["total"]
        row = dict(zip(heads, row))
        for name, expected in {
                "service": service["name"], "state": service["state"], "children": count(child["total"]),
                "busy": count(child["busy"]), "idle": count(child["idle"]), "spare": count(child["spare"]),
                "max-clients": count(service["limits"]["max_clients"]), "open": count(service["open_connections"]),
                "accepted": count(total["accepted"]), "finished": count(total["finished"]),
                "failed": count(total["failed"]), "timed out": count(total["timed_out"]),
                "aborted": count(total["aborted"])}.items():
            same(at + name, row.pop(name), expected)
        for name in ("read", "written"):
            near(at + name, row.pop(name), total[name + "_bytes"])
        same(at + "columns that nothing is known of", row, {})
    marks = plain.texts["pre"][0].splitlines()
    letters = {"empty": ".", "starting": "S", "idle": "_", "busy": "W", "leaving": "L"}
    for service, line in zip(before["services"], marks):
        expected = "".join(letters[slot["state"]] for slot in service["slots"]).rstrip(".")
        same("/: marks of " + service["name"], line, service["name"] + ": " + expected)
    there, shown = plain_children("/", children, before, after)
    more = re.search(r"<p>([\d,]+) more:", page)
    same("/: more children", more.group(1) if more else "0", count(there - shown))
    every = Plain(all_children)
    compare_head("/children", every, before, after)
    same("/children: services", every.tables[0], services)
    there, shown = plain_children("/children", every.tables[1], before, after)
    same("/children: rows", shown, there)


# All at once: what the page shows, and the answer that it was made from. `choose` has it show the child of a square.
read_live = """(() => {
  const texts = (of, what) => [...of.querySelectorAll(what)].map(e => e.textContent);
  const pairs = all => Object.fromEntries(all);
  const rows = of => [...of.querySelectorAll('tbody tr')].map(r => texts(r, 'td'));
  const read = s => ({
    name: s.querySelector('h2').textContent, about: texts(s, '.head small'),
    tiles: pairs([...s.querySelectorAll('.tiles div')].filter(d => !d.hidden).map(d =>
      [d.querySelector('span').textContent, d.querySelector('b').textContent])),
    bar: pairs([...s.querySelectorAll('.bar i')].map(i => [i.className, i.style.width])),
    charts: [...s.querySelectorAll('.charts > div')].filter(d => !d.hidden).map(d => ({name: texts(d, 'h3')[0],
      foot: texts(d, 'small')[0], bars: texts(d, 'title'),
      line: [...d.querySelectorAll('.stroke')].map(p => p.getAttribute('d'))[0]})),
    cells: [...s.querySelectorAll('.grid i')].map(i => [i.className, i.title]),
    tables: pairs([...s.querySelectorAll('section > div:not(.off)')].filter(d => d.querySelector('table')).map(d =>
      [texts(d, 'h3')[0], rows(d)]))});
  const sections = [...document.querySelectorAll('#live section')];
  const all = {json: earlier.json, title: document.title, name: texts(live, 'h1')[0], badge: texts(live, '.badge')[0],
    badge_class: live.querySelector('.badge').className, about: texts(live, 'header small'),
    problems: texts(live, '.advice li'), services: sections.map(read)};
  all.services.forEach((service, number) => {
    const squares = sections[number].querySelectorAll('.grid i'), step = Math.max(1, Math.floor(squares.length / 64));
    service.details = {};
    for (let i = 0; i < squares.length; i += step) {
      squares[i].click();
      const d = sections[number].querySelector('.detail');
      service.details[i] = [d.querySelector('b').textContent, pairs([...d.querySelectorAll('dl div')].map(e =>
        [e.querySelector('dt').textContent, e.querySelector('dd').textContent]))];
      squares[i].click();
    }
    service.tiles_after = read(sections[number]).tiles;
  });
  return all})()"""


def compare_tiles(at, tiles, service):
    child, total = service["children"], service["total"]
    counts = {"busy / most": "%s / %s" % (count(child["busy"]), count(service["limits"]["max_clients"])),
              "spare": count(child["spare"]), "connections/s": "0",
              "open connections": count(service["open_connections"]),
              "wait in the queue": count(service["queue"]["waiting"]), "finished": count(total["finished"]),
              "failed": count(total["failed"]), "timed out": count(total["timed_out"]),
              "aborted": count(total["aborted"]),
              "refused": count(sum(service["refused"].values()) + total["refused_proxy"])}
    for name, expected in counts.items():
        same(at + name, tiles.pop(name), expected)
    for name, key in (("median duration", "latency_p50"), ("99 % are quicker", "latency_p99")):
        microseconds, shown = total[key + "_under_microseconds"], tiles.pop(name)
        if microseconds is None:
            same(at + name, shown, "–")
        else:
            near(at + name, shown.removeprefix("< "), microseconds / 1e6)
    for name in ("read", "written"):
        near(at + name, tiles.pop(name), total[name + "_bytes"])
    same(at + "tiles that nothing is known of", tiles, {})


def compare_detail(at, title, facts, slot):
    if slot["state"] == "empty":
        same(at + "title", title, "Slot %s" % slot["slot"])
        same(at + "state", facts, {"state": "empty", "children it has had": count(slot["incarnation"])})
        return
    figures = slot["figures"]
    same(at + "title", title, "Child %s, slot %s" % (slot["pid"], slot["slot"]))
    near(at + "age", facts.pop("age"), slot["age_seconds"])
    busy_for = facts.pop("busy for")
    if slot["open_connections"]:
        near(at + "busy for", busy_for, slot["busy_for_seconds"])
    else:
        same(at + "busy for", busy_for, "–")
    for name in ("read", "written"):
        near(at + name, facts.pop(name), figures[name + "_bytes"])
    for name, expected in {
            "state": slot["state"] + (", stopped" if slot["stopped"] else "") + (", torn" if slot["torn"] else ""),
            "generation": count(slot["generation"]), "reason": slot["reason"],
            "open connections": "%s of %s" % (count(slot["open_connections"]), count(slot["capacity"])),
            "peer": slot["peer"] or "–", "note": slot["note"] or "–", "accepted": count(figures["accepted"]),
            "finished": count(figures["finished"]), "failed": count(figures["failed"]),
            "timed out": count(figures["timed_out"])}.items():
        same(at + name, facts.pop(name), expected)
    same(at + "facts that nothing is known of", facts, {})


def compare_tables(at, tables, service):
    ended = {cause: count(number) for cause, number in service["children"]["ended_by"].items() if number}
    same(at + "ended by", dict(tables.pop("Children that have ended", [])), ended)
    own = {name: count(value) for name, value in service["counters"].items()}
    same(at + "counters", dict(tables.pop("Figures of its own", [])), own)
    crashes = [end for end in service["ends"] if end["failed"]][-50:][::-1]
    shown = tables.pop("Crashes", [])
    same(at + "crashes", len(shown), len(crashes))
    for end, (ago, pid, how, age, finished) in zip(crashes, shown):
        near(at + "crash: when", ago.removesuffix(" ago"), end["seconds_ago"])
        near(at + "crash: age", age, end["age_seconds"])
        expected = "signal %s" % end["signal"] if "signal" in end else "exit code %s" % end["exit_code"]
        same(at + "crash", [pid, how, finished], [str(end["pid"]), expected, count(end["finished"])])
    decisions, shown = service["decisions"][-50:][::-1], tables.pop("Journal", [])
    same(at + "journal", len(shown), len(decisions))
    for decision, (ago, *words) in zip(decisions, shown):
        near(at + "journal: when", ago.removesuffix(" ago"), decision["seconds_ago"])
        seen = [str(decision["seen"][key]) for key in ("busy", "idle", "starting", "waiting")]
        what = decision["decision"] + (" " + decision["word"] if decision["word"] else "")
        expected = [what] + [str(decision[key] or "") for key in ("count", "pid")] + [" / ".join(seen)]
        for one, other in zip(words, expected):
            same(at + "journal", one, other)
    same(at + "tables that nothing is known of", tables, {})


def compare_line(at, line, values):
    points = [tuple(map(float, point.split())) for point in line.lstrip("M").split("L")]
    same(at + "points", len(points), len(values))
    for (across, down), (number, value) in zip(points, enumerate(values)):
        expected = 100 - 92 * value / max(1, *values)
        check(at + str(number), across == number and abs(down - expected) < 0.06, down, expected)


def compare_charts(at, charts, service):
    seconds = {600 - 1 - second["seconds_ago"]: second for second in service["history"]}

    def line(of):
        return [of(seconds[number]) if number in seconds else 0 for number in range(600)]

    lines = {"Connections per second": line(lambda second: second["finished"] + second["aborted"]),
             "Busy children": line(lambda second: second["most_busy"]),
             "Wait in the queue": line(lambda second: second["longest_wait_milliseconds"])}
    feet = {"Connections per second": "10 minutes; at most %s in a second",
            "Busy children": "10 minutes; at most %s of " + count(service["limits"]["max_clients"])}
    for chart in charts:
        if chart["name"] in lines:
            values = lines[chart["name"]]
            compare_line(at + chart["name"] + ": ", chart["line"], values)
            if chart["name"] in feet:
                same(at + chart["name"], chart["foot"], feet[chart["name"]] % count(max(values)))
            else:
                near(at + chart["name"], chart["foot"].removeprefix("10 minutes; the longest "), max(values) / 1e3)
        else:
            steps = {step["under_microseconds"]: step["connections"] for step in service["total"]["latency"]}
            if not steps:
                same(at + "durations", chart["foot"], "no connection has finished yet")
                continue
            under = min(steps)
            for bar in chart["bars"]:
                connections, time_ = bar.split(" under ")
                same(at + "durations", connections, count(steps.pop(under, 0)))
                near(at + "durations: step", time_, under / 1e6)
                under *= 2
            same(at + "durations that are not shown", steps, {})


def compare_live(shown):
    drawn = shown["json"]
    verdict = drawn["verdict"]
    same("title", shown["title"], ("" if verdict == "ok" else verdict + ": ") + drawn["name"])
    same("name", shown["name"], drawn["name"])
    same("verdict", [shown["badge"], shown["badge_class"]], [verdict, "badge " + verdict])
    same("problems", shown["problems"], [problem["text"] for problem in drawn["problems"]])
    up, pid = re.fullmatch(r"up (.*), pid (\d+)", shown["about"][0]).groups()
    near("up", up, drawn["parent"]["age_seconds"])
    same("pid", pid, str(drawn["parent"]["pid"]))
    same("services", [service["name"] for service in shown["services"]],
         [service["name"] for service in drawn["services"]])
    for service, part in zip(drawn["services"], shown["services"]):
        at = service["name"] + ": "
        child, limits, slots = service["children"], service["limits"], service["slots"]
        same(at + "about", part["about"], ["%s%s, generation %s" % (
            service["state"], ", scaled" if service["scaled"] else "", service["generation"]), service["listeners"]])
        compare_tiles(at, part["tiles"], service)
        compare_tiles(at + "after a choice: ", part["tiles_after"], service)
        for state, width in part["bar"].items():
            expected = 100 * child[state] / max(limits["max_clients"], child["total"])
            check(at + "bar: " + state, abs(float(width.rstrip("%")) - expected) < 0.01, width, expected)
        for slot, (state, title) in zip(slots, part["cells"]):
            expected = "" if slot["state"] == "empty" else "stopped" if slot["stopped"] else slot["state"]
            note = " – " + slot["note"] if slot.get("note") else ""
            words = "%s %s%s" % (slot["pid"], slot["state"], note) if expected else "empty"
            same(at + "square %s" % slot["slot"], [state, title], [expected, words])
        same(at + "children without a square", [slot for slot in slots[len(part["cells"]):] if "pid" in slot], [])
        for number, (title, facts) in part["details"].items():
            compare_detail("%sslot %s: " % (at, number), title, facts, slots[int(number)])
        compare_charts(at, part["charts"], service)
        compare_tables(at, part["tables"], service)


def main():
    browser = Browser(chromium)
    browser.call("Page.navigate", url=url)
    browser.wait("typeof earlier !== 'undefined' && earlier !== null")
    for _ in range(30):  # until nothing but the clock moves any more, while all figures are read
        before = status()
        # A second answer, from which the page knows how many connections come now.
        browser.value("last = earlier && earlier.at")
        browser.wait("earlier && earlier.at !== last")
        shown, told, page, children = browser.value(read_live), of_broodctl(), get(""), get("children")
        after = status()
        if still(before, after):
            break
        time.sleep(1)
    else:
        sys.exit("the figures do not stand still")
    between("what the page has asked for: ", shown["json"], before, after)
    between("broodctl: ", told, before, after)
    compare_plain(before, page, children, after)
    compare_live(shown)
    # Connections of the last seconds, of which no second answer has told yet.
    same("connections/s after a choice", browser.value("""(() => {
      for (const service of earlier.json.services) service.history.push({seconds_ago: 2, finished: 500});
      document.querySelector('#live .grid i').click();
      return [...document.querySelectorAll('#live .tiles div')].filter(d => d.textContent.endsWith('connections/s'))
        .map(d => d.querySelector('b').textContent)})()"""), ["0"] * len(before["services"]))
    browser.close()
    for line in wrong[:40]:
        print(line, file=sys.stderr)
    if wrong:
        sys.exit("%d of %d figures are wrong" % (len(wrong), compared))
    print(compared)


main()
