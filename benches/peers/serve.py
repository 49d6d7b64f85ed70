"""How long one case takes to be explained by `earlyhelp serve`, beside a Python service with InterpretML's `explain_local`.

    python serve.py ours      --address 127.0.0.1:8765 --token-file TOKEN --purpose TEXT --on DATE --people PEOPLE.csv [--clients 1] [--questions 5000]
    python serve.py interpret --frame FRAME.csv --port 8766
    python serve.py theirs    --address 127.0.0.1:8766 --frame FRAME.csv [--clients 1] [--questions 500]
    python serve.py scorer    --program earlyhelp-scorer --model RELEASED.json --as-of DATE --on DATE --purpose TEXT --frame FRAME.csv [--clients 1] [--questions 5000]

`ours` asks a service that runs (`earlyhelp serve ... --listen`) for `explain` of people by their ids, which are in the column
`person_id` of a CSV file: records are looked up, features computed, the case explained and put on record before it is answered. `interpret` trains an
explainable boosting machine with the defaults on a table of features (`sql.py frame`: columns f_*, and log_odds of the released model, by which outcomes
are drawn with seed 1), and answers lines of JSON on a port, a thread a client; it puts nothing on record and is given the features. `theirs` asks it.
`scorer` asks the like of ours: `examples/scorer`, a process for each client, by its standard streams, given the same features and putting nothing on record;
its answers are whole cases, with intervals, sentences and provenance.
Each client asks its next question when it has the answer to the one before. Printed are JSON lines: milliseconds of one question (median, 90th, 99th and
99.9th percentile, the longest), and questions a second of all clients together. Clients run in this process, a thread each, and share the machine with the service.
"""

import argparse
import csv
import json
import socket
import socketserver
import subprocess
import threading
import time
from pathlib import Path


def connected(address: str):
    """A client of a port: a function that asks a line and gives the answer."""
    host, port = address.rsplit(":", 1)
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answers = connection.makefile("rb")

    def ask(line: bytes) -> bytes:
        connection.sendall(line)
        return answers.readline()

    return ask


def started(command: list):
    """A client of a process of its own."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(line: bytes) -> bytes:
        process.stdin.write(line)
        process.stdin.flush()
        return process.stdout.readline()

    return ask


def measure(connect, clients: int, questions: int, question) -> dict:
    """Asks `question(nth)` so often, by so many clients."""
    took = [[] for _ in range(clients)]
    wrong = []

    def client(number: int) -> None:
        ask = connect()
        for nth in range(number, questions, clients):
            line = question(nth)
            begun = time.perf_counter()
            answer = ask(line)
            took[number].append(time.perf_counter() - begun)
            if b'"error"' in answer[:200] or not answer:
                wrong.append(answer[:300])

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begun
    all_took = sorted(1000 * one for each in took for one in each)

    def at(share: float) -> float:
        return round(all_took[min(len(all_took) - 1, int(share * len(all_took)))], 3)

    return {
        "clients": clients,
        "questions": questions,
        "wrong": len(wrong),
        "first_wrong": wrong[0].decode() if wrong else None,
        "ms": {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "longest": round(all_took[-1], 3)},
        "a_second": round(questions / wall),
    }


def ours(arguments: argparse.Namespace) -> None:
    with open(arguments.people, newline="", encoding="utf-8") as file:
        people = [row["person_id"] for row in csv.DictReader(file)]
    token = arguments.token_file.read_text().splitlines()[0].strip()
    always = {"v": 1, "do": "explain", "token": token, "by": "C. Worker", "purpose": arguments.purpose, "on": arguments.on}

    def question(nth: int) -> bytes:
        # Neighbours in the file are siblings; a service is asked about one family and then another.
        return (json.dumps({**always, "id": nth, "person": people[nth * 7919 % len(people)]}) + "\n").encode()

    print(json.dumps({"what": "ours"} | measure(lambda: connected(arguments.address), arguments.clients, arguments.questions, question)))


def features_of(frame: Path) -> tuple:
    import pandas

    table = pandas.read_csv(frame)
    return table, [name for name in table.columns if name.startswith("f_")]


def interpret(arguments: argparse.Namespace) -> None:
    import numpy
    import pandas
    from interpret.glassbox import ExplainableBoostingClassifier

    table, names = features_of(arguments.frame)
    drawn = numpy.random.default_rng(1).random(len(table)) < 1 / (1 + numpy.exp(-table["log_odds"]))
    machine = ExplainableBoostingClassifier(feature_names=names)
    machine.fit(table[names], drawn.astype(int))

    class Client(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            for line in self.rfile:
                case = pandas.DataFrame([json.loads(line)["features"]], columns=names, dtype=float)
                said = machine.explain_local(case).data(0)
                said = {"names": list(said["names"]), "scores": list(map(float, said["scores"]))}
                self.wfile.write((json.dumps(said) + "\n").encode())

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", arguments.port), Client) as server:
        print(f"answering on 127.0.0.1:{arguments.port}", flush=True)
        server.serve_forever()


def theirs(arguments: argparse.Namespace) -> None:
    table, names = features_of(arguments.frame)
    rows = json.loads(table[names].to_json(orient="records"))

    def question(nth: int) -> bytes:
        return (json.dumps({"features": rows[nth * 7919 % len(rows)]}) + "\n").encode()

    print(json.dumps({"what": "interpret"} | measure(lambda: connected(arguments.address), arguments.clients, arguments.questions, question)))


def scorer(arguments: argparse.Namespace) -> None:
    table, names = features_of(arguments.frame)
    # A cell that is not there is missing; which are not covered, the frame does not say.
    rows = [
        {name.removeprefix("f_"): value for name, value in row.items() if value is not None}
        for row in json.loads(table[names].to_json(orient="records"))
    ]
    command = [arguments.program, arguments.model, arguments.as_of, arguments.on, "C. Worker", arguments.purpose]

    def question(nth: int) -> bytes:
        return (json.dumps({"id": f"case-{nth}", "features": rows[nth * 7919 % len(rows)]}) + "\n").encode()

    print(json.dumps({"what": "scorer"} | measure(lambda: started(command), arguments.clients, arguments.questions, question)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    asking = commands.add_parser("ours")
    asking.set_defaults(work=ours)
    asking.add_argument("--token-file", type=Path, required=True)
    asking.add_argument("--purpose", required=True)
    asking.add_argument("--on", required=True)
    asking.add_argument("--people", type=Path, required=True)
    serving = commands.add_parser("interpret")
    serving.set_defaults(work=interpret)
    serving.add_argument("--port", type=int, default=8766)
    other = commands.add_parser("theirs")
    other.set_defaults(work=theirs)
    alone = commands.add_parser("scorer")
    alone.set_defaults(work=scorer)
    for name in ("--program", "--model", "--as-of", "--on", "--purpose"):
        alone.add_argument(name, required=True)
    for command in (serving, other, alone):
        command.add_argument("--frame", type=Path, required=True)
    for command in (asking, other):
        command.add_argument("--address", required=True)
    for command, questions in ((asking, 5000), (other, 500), (alone, 5000)):
        command.add_argument("--clients", type=int, default=1)
        command.add_argument("--questions", type=int, default=questions)
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
