// One whole review over `earlyhelp serve`: node review.mjs ADDRESS TOKEN_FILE PURPOSE DATE
//
// Copy `Earlyhelp` into a program of your own; it needs nothing but Node 18. Start the service before, for instance:
//     earlyhelp serve PROJECT.toml --model RELEASED.json --ledger LEDGER --listen 127.0.0.1:8765 --token-file TOKEN

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** The service says no, or cannot: `kind` is refused, bad_input, not_found, retry or ours. */
class Refused extends Error {
  constructor({ class: kind, says }) {
    super(says);
    this.kind = kind;
  }
}

class Earlyhelp {
  #waiting = new Map();
  #asked = 0;

  constructor(address, token, by, purpose) {
    const at = address.lastIndexOf(":");
    this.socket = connect(Number(address.slice(at + 1)), address.slice(0, at));
    this.always = { v: 1, token, by, purpose };
    const lines = createInterface({ input: this.socket });
    lines.on("line", (line) => {
      let answer;
      try { answer = JSON.parse(line); } catch { return this.#gone(); } // cut off
      const [resolve, reject] = this.#waiting.get(answer.id) ?? [...this.#waiting.values()][0] ?? [];
      this.#waiting.delete(answer.id);
      answer.error ? reject?.(new Refused(answer.error)) : resolve?.(answer.ok);
    });
    lines.on("close", () => this.#gone());
    lines.on("error", () => this.#gone());
    this.socket.on("error", () => this.#gone());
    this.socket.setTimeout(120_000, () => this.#gone());
  }

  #gone() {
    this.socket.destroy();
    for (const [, reject] of this.#waiting.values()) reject(new Refused({ class: "retry", says: "the service is gone" }));
    this.#waiting.clear();
  }

  /** Questions of one connection are answered in their order, each as soon as the one before is. */
  ask(what, fields = {}) {
    if (this.socket.destroyed) return Promise.reject(new Refused({ class: "retry", says: "the service is gone" }));
    const id = ++this.#asked;
    this.socket.write(JSON.stringify({ ...this.always, id, do: what, ...fields }) + "\n");
    return new Promise((resolve, reject) => this.#waiting.set(id, [resolve, reject]));
  }

  close() { this.socket.end(); }
}

const [address, tokenFile, purpose, date] = process.argv.slice(2);
const token = readFileSync(tokenFile, "utf8").split("\n")[0].trim();
const lead = new Earlyhelp(address, token, "B. Lead", purpose);
const { run } = await lead.ask("score", { as_of: date, on: date, capacity: 5 });
lead.close();

const worker = new Earlyhelp(address, token, "C. Worker", purpose);
const { places } = await worker.ask("list", { run });
const { place, person } = places.find((place) => place.decided === null);
const opened = await worker.ask("open", { run, place, role: "Practitioner", on: date });
console.log(`place ${place}: ${opened.case.band.name} of scores`);
for (const reason of opened.case.contributions.slice(0, 3)) console.log(`  ${reason.log_odds.toFixed(2)}  ${reason.words}`);
// What the model says today of one person is on record, and on no list.
const asked = await worker.ask("explain", { person, as_of: date, on: date });
if (asked.answer.scored.score !== opened.case.score) throw new Error("another score");
const decision = { step: "seek_information", agreement: "cannot_tell", reason: "Ask the school first." };
const { entry } = await worker.ask("decide", { run, place, role: "Practitioner", on: date, ...decision });
await worker.ask("explain", { person, on: date, purpose: "Something else" }).catch((error) => console.log(`${error.kind}: ${error.message}`));
console.log(`decided in entry ${entry}`);
worker.close();
