#!/usr/bin/env bash
# Makes the released example models anew, from a council that does not exist.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --bin earlyhelp
earlyhelp=target/release/earlyhelp
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$earlyhelp" synth --out "$work/council" --children 50000 --seed 1
purpose=$(sed -n 's/^purpose = "\(.*\)"$/\1/p' "$work/council/project.toml")
for trainer in additive scorecard logistic; do
  "$earlyhelp" train "$work/council/project.toml" --trainer "$trainer" --out "$work/$trainer.json" > "$work/$trainer.txt" ||
    [ $? -eq 3 ] # done, but rows of the invented extracts were rejected
  "$earlyhelp" release "$work/$trainer.json" --by Demonstration --role "nobody: this council does not exist" --purpose "$purpose" \
    --on 2025-04-01 --review-by 2026-04-01 --out "$work/released/synthetic_council_$trainer.json"
  cp "$work/released/synthetic_council_$trainer.json" models/
  "$earlyhelp" card "models/synthetic_council_$trainer.json" --out "$work/papers"
  for form in md json; do
    cp "$work/papers/model_card.$form" "models/synthetic_council_$trainer.card.$form"
  done
done
