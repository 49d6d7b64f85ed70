"""One whole review over `earlyhelp serve`: python3 review.py ADDRESS TOKEN_FILE PURPOSE DATE

Copy `Earlyhelp` into a program of your own; it needs nothing but Python 3.8. Start the service before, for instance:
    earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN
"""

import json
import socket
import sys


class Refused(Exception):
    """The service says no, or cannot: `kind` is refused, bad_input, not_found, retry or ours."""

    def __init__(self, error):
        super().__init__(error["says"])
        self.kind = error["class"]


class Earlyhelp:
    def __init__(self, address, token, by, purpose):
        host, port = address.rsplit(":", 1)
        self.connection = socket.create_connection((host, int(port)), timeout=120)
        self.lines = self.connection.makefile("rw", encoding="utf-8", newline="\n")
        self.always = {"v": 1, "token": token, "by": by, "purpose": purpose}
        self.asked = 0

    def ask(self, do, **fields):
        self.asked += 1
        question = {**self.always, "id": self.asked, "do": do, **fields}
        self.lines.write(json.dumps(question, ensure_ascii=False) + "\n")
        self.lines.flush()
        line = self.lines.readline()
        if not line.endswith("\n"):
            raise Refused({"class": "retry", "says": "the service is gone"})
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        assert answer["id"] == self.asked
        return answer["ok"]


def main():
    address, token_file, purpose, date = sys.argv[1:]
    with open(token_file, encoding="utf-8") as file:
        token = file.readline().strip()
    lead = Earlyhelp(address, token, "B. Lead", purpose)
    run = lead.ask("score", as_of=date, on=date, capacity=5)["run"]

    worker = Earlyhelp(address, token, "C. Worker", purpose)
    places = worker.ask("list", run=run)["places"]
    first = next(place for place in places if place["decided"] is None)
    opened = worker.ask("open", run=run, place=first["place"], role="Practitioner", on=date)
    print(f"place {first['place']}: {opened['case']['band']['name']} of scores")
    for reason in opened["case"]["contributions"][:3]:
        print(f"  {reason['log_odds']:+.2f}  {reason['words']}")
    # What the model says today of one person is on record, and on no list.
    asked = worker.ask("explain", person=first["person"], as_of=date, on=date)
    assert asked["answer"]["scored"]["score"] == opened["case"]["score"]
    entry = worker.ask("decide", run=run, place=first["place"], role="Practitioner", on=date, step="seek_information",
                       agreement="cannot_tell", reason="Ask the school first.")["entry"]
    try:
        worker.ask("explain", person=first["person"], as_of=date, on=date, purpose="Something else")
    except Refused as error:
        print(f"{error.kind}: {error}")
    print(f"decided in entry {entry}")


if __name__ == "__main__":
    main()
