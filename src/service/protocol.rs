//! Questions as they are written.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::VERSION;
use crate::calendar::{AsOf, Day};
use crate::error::{Class, Error, LedgerError};
use crate::features::Cell;
use crate::review::{Agreement, Step};
use crate::scoring::Acceptance;

/// What was asked, by whom and for what.
pub(super) struct Question {
    /// The day, where it is said.
    pub(super) on: Option<Day>,
    /// Who asks, and for what; of [`Ask::Health`] nobody is asked.
    pub(super) by: String,
    pub(super) purpose: String,
    pub(super) ask: Ask,
}

/// What is asked.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Ask {
    /// Whether the service is there, and what it holds. It needs neither `by` nor `purpose`.
    Health(Health),
    /// Score one person or family, with reasons: of the records that the service holds, of records that come with the question, or
    /// of features that were computed elsewhere. The answer is on record, and is no alert.
    Explain(Box<Explain>),
    /// Score the cohort of a date, draw the list, and put the run on record.
    Score(Score),
    /// A recorded list: who has which place, and what became of it.
    List(List),
    /// Open one case of a recorded list, as a named person. The opening is on record.
    Open(Open),
    /// Put on record what that person decided.
    Decide(Decide),
    /// Verify the ledger, and count what became of alerts.
    Audit(Audit),
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Health {}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    /// The pseudonymous id of the person or family.
    pub(super) person: String,
    /// The date: nothing that became known on it or later is used. The day of the question, if not said.
    pub(super) as_of: Option<AsOf>,
    /// Sources that are used though they are not what they were when the model was trained.
    #[serde(default)]
    pub(super) accept: Vec<Acceptance>,
    /// Tables with the records of this person and of those in the household, by the names that the project gives its tables
    /// (`people`, `households` and its sources); of the others there are none then. Each row is an object of the columns that
    /// the project maps.
    #[serde(default)]
    pub(super) records: Option<BTreeMap<String, Vec<Map<String, Value>>>>,
    /// What each feature of the model says: a number, "missing" or "not covered".
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, Value>>"))]
    pub(super) features: Option<BTreeMap<String, Cell>>,
    /// Where records or features come from; needed with features.
    #[serde(default)]
    pub(super) origin: Option<String>,
}

crate::opaque_debug!(Explain);

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Score {
    /// The date of the list. The day of the question, if not said.
    pub(super) as_of: Option<AsOf>,
    /// How many places the list has.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) capacity: u32,
    /// So many cases drawn at random beside them.
    #[serde(default)]
    pub(super) at_random: u32,
    /// Give places only to those whom no service knows already.
    #[serde(default)]
    pub(super) not_known: bool,
    /// Sources that are used though they are not what they were when the model was trained.
    #[serde(default)]
    pub(super) accept: Vec<Acceptance>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    /// The run, or the beginning of its id.
    pub(super) run: String,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Open {
    /// The run, or the beginning of its id.
    pub(super) run: String,
    /// The place on its list, from 1.
    pub(super) place: u32,
    /// The role of who opens it.
    pub(super) role: String,
    /// What they think before they see the score, where the team works so.
    #[serde(default)]
    pub(super) own_judgement: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// The run, or the beginning of its id.
    pub(super) run: String,
    /// The place on its list, from 1.
    pub(super) place: u32,
    /// The role of who decides.
    pub(super) role: String,
    /// The next step.
    pub(super) step: Step,
    /// Whether they agree with the case's place on the list.
    pub(super) agreement: Agreement,
    /// Why, in words.
    pub(super) reason: String,
    /// The reason in the council's own list, where it has one.
    #[serde(default)]
    pub(super) reason_code: Option<String>,
    /// The entry of the decision whose place this one takes.
    #[serde(default)]
    pub(super) supersedes: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {}

/// Why a question has no answer.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) class: Class,
    pub(super) says: String,
}

impl Wrong {
    pub(super) fn input(says: impl Into<String>) -> Self {
        Self { class: Class::BadInput, says: says.into() }
    }

    pub(super) fn answer(&self, id: &Value) -> Value {
        json!({ "v": VERSION, "id": id, "error": { "class": self.class, "says": self.says } })
    }
}

impl<E: Into<Error>> From<E> for Wrong {
    fn from(error: E) -> Self {
        let error: Error = error.into();
        // Whatever stands where a run should may be somebody's id.
        if let Error::Ledger(LedgerError::NoRun(_) | LedgerError::Ambiguous { .. }) = error {
            let says = "`run` does not name one run that the ledger holds; give its whole id".to_owned();
            return Self { class: error.class(), says };
        }
        Self { class: error.class(), says: crate::limits::shortened(&error.to_string()).into_owned() }
    }
}

/// JSON in which no field of an object stands twice: of two, a reader could believe either.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Once;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
                let mut fields = Map::new();
                while let Some(name) = map.next_key::<String>()? {
                    let Once(value) = map.next_value()?;
                    if fields.insert(name, value).is_some() {
                        return Err(A::Error::custom("a field stands twice"));
                    }
                }
                Ok(Once(Value::Object(fields)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Once, A::Error> {
                let mut values = Vec::new();
                while let Some(Once(value)) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Once(Value::Array(values)))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Once, E> {
                Ok(Once(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Once, E> {
                Ok(Once(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Once, E> {
                Ok(Once(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Once, E> {
                Ok(Once(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Once, E> {
                Ok(Once(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Once, E> {
                Ok(Once(Value::Null))
            }
        }
        deserializer.deserialize_any(Each)
    }
}

/// Reads a question: its id, as far as it has one, and what is asked.
pub(super) fn read(line: &[u8], token: Option<&str>) -> (Value, Result<Question, Wrong>) {
    let mut fields = match serde_json::from_slice::<Once>(line) {
        Ok(Once(Value::Object(fields))) => fields,
        Ok(_) => {
            return (Value::Null, Err(Wrong::input("the question is not an object; write one in a line")));
        }
        // The text of serde's error may hold a value; where it is does not.
        Err(error) => {
            let says = format!(
                "the question is not one JSON object whose fields stand once each (column {}); write one in a line",
                error.column()
            );
            return (Value::Null, Err(Wrong::input(says)));
        }
    };
    let id = fields.remove("id").unwrap_or_default();
    if id.is_array() || id.is_object() || id.as_str().is_some_and(|id| id.len() > 200) {
        return (Value::Null, Err(Wrong::input("`id` is a number or a short text of the caller's own")));
    }
    let read = question(fields, token);
    (id, read)
}

fn question(mut fields: Map<String, Value>, token: Option<&str>) -> Result<Question, Wrong> {
    let given = fields.remove("token");
    if let Some(token) = token
        && !given.as_ref().and_then(Value::as_str).is_some_and(|given| is_same(given, token))
    {
        let says = "the question does not hold the service's `token`".to_owned();
        return Err(Wrong { class: Class::Refused, says });
    }
    match fields.remove("v") {
        Some(version) if version == VERSION => {}
        _ => return Err(Wrong::input(format!("`v` is the version of the protocol, {VERSION}"))),
    }
    let on = take(&mut fields, "on", "a day, as year-month-day")?;
    let (by, purpose) = (take(&mut fields, "by", "a text")?, take(&mut fields, "purpose", "a text")?);
    let what = fields.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
    let ask: Ask =
        serde_json::from_value(Value::Object(fields)).map_err(|error| Wrong::input(unread(&what, &error)))?;
    let (by, purpose) = match ask {
        Ask::Health(_) => (by.unwrap_or_default(), purpose.unwrap_or_default()),
        _ => match (by, purpose) {
            (Some(by), Some(purpose)) => (by, purpose),
            _ => return Err(Wrong::input("`by` says who asks, and `purpose` for what; give both")),
        },
    };
    Ok(Question { on, by, purpose, ask })
}

/// The names that questions and their fields have: what of an error of reading may be shown.
const NAMES: [&str; 26] = [
    "health",
    "explain",
    "score",
    "list",
    "open",
    "decide",
    "audit",
    "do",
    "person",
    "as_of",
    "accept",
    "records",
    "features",
    "origin",
    "capacity",
    "at_random",
    "not_known",
    "run",
    "place",
    "role",
    "own_judgement",
    "step",
    "agreement",
    "reason",
    "reason_code",
    "supersedes",
];

/// What is wrong with a question, without a word of what it says: serde's own text can hold a value.
fn unread(what: &str, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let named = |before: &str| {
        let (_, rest) = text.split_once(before)?;
        let name = rest.split('`').next()?;
        NAMES.contains(&name).then(|| name.to_owned())
    };
    if !NAMES[..7].contains(&what) {
        return format!("`do` is one of {}", NAMES[..7].join(", "));
    }
    if let Some(name) = named("missing field `") {
        return format!("{what}: the field `{name}` is missing");
    }
    let expected = expected(&text).map_or_else(String::new, |expected| format!(" (expected {expected})"));
    let wrong = if text.starts_with("unknown field") {
        "it has a field that such a question does not have"
    } else {
        "a field does not hold what it should"
    };
    format!("{what}: {wrong}{expected}; see the schema (earlyhelp schema --service)")
}

/// What was expected, by an error that ends with it: what was found stands before, so that the last such words are not of the question.
fn expected(text: &str) -> Option<&str> {
    const ENDING_SO: [&str; 4] =
        ["unknown variant `", "unknown field `", "invalid type: ", "invalid value: "];
    let ends_so = ENDING_SO.iter().any(|start| text.starts_with(start)) && !text.contains(", there are no ");
    ends_so.then(|| text.rsplit_once(", expected ")).flatten().map(|(_, expected)| expected)
}

fn take<T: DeserializeOwned>(
    fields: &mut Map<String, Value>,
    name: &str,
    is: &str,
) -> Result<Option<T>, Wrong> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            serde_json::from_value(value).map(Some).map_err(|_| Wrong::input(format!("`{name}` is {is}")))
        }
    }
}

/// Whether two texts are the same, in a time that does not tell how far they are.
fn is_same(given: &str, token: &str) -> bool {
    let differ = given.bytes().zip(token.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    given.len() == token.len() && differ == 0
}
