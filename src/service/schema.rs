//! The JSON Schema of a question.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::protocol::Ask;
use super::{Service, VERSION};
use crate::calendar::Day;

/// A question as it is written, for the schema: it is read in two steps.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "it is described, and never made")]
struct Question {
    /// The version of the protocol.
    v: u32,
    /// A number or a short text of the caller's own, which the answer has again.
    id: Option<Value>,
    /// Who asks: a person, by name. Not needed for `health`.
    by: Option<String>,
    /// For what: the purpose that the model was released for. Not needed for `health`.
    purpose: Option<String>,
    /// The day of the question, as year-month-day. Today, if not said.
    on: Option<Day>,
    /// The service's token, where it has one.
    token: Option<String>,
    #[serde(flatten)]
    ask: Ask,
}

impl Service {
    /// The JSON Schema (2020-12) of the questions that a service answers.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::service::{Service, VERSION};
    ///
    /// let schema = Service::json_schema();
    /// assert_eq!(schema["properties"]["v"]["const"], VERSION);
    /// ```
    #[must_use]
    pub fn json_schema() -> Value {
        let mut schema =
            SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Question>().to_value();
        schema["title"] = "earlyhelp question".into();
        schema["properties"]["v"] =
            json!({ "const": VERSION, "description": "The version of the protocol." });
        schema
    }
}
