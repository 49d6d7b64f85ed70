//! The JSON Schema of a project file.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use super::Project;

impl Project {
    /// The JSON Schema (2020-12) of a project file: what an editor completes and checks it by.
    ///
    /// It is derived from the types that the file is read into, so the keys are those that [`Project::load`] knows, and
    /// another is refused. It asks for dates and spans as [the guide](crate::guide::project_file) writes them. What it
    /// accepts may still be refused by [`Project::load`]: a schema cannot tell whether one key fits another.
    ///
    /// # Examples
    /// ```
    /// use earlyhelp::project::Project;
    ///
    /// let schema = Project::json_schema();
    /// assert_eq!(schema["properties"]["reject_limit"]["maximum"], 1.0);
    /// assert_eq!(schema["additionalProperties"], false);
    /// ```
    #[must_use]
    pub fn json_schema() -> Value {
        let settings = SchemaSettings::draft2020_12().with_transform(AsToml).with_transform(PlainWords);
        let mut schema = settings.into_generator().into_root_schema_for::<Self>();
        schema.insert("title".to_owned(), "earlyhelp project file".into());
        schema.to_value()
    }
}

/// TOML has no word for nothing: a key that may be left out cannot be `null`.
#[derive(Debug, Clone)]
struct AsToml;

impl Transform for AsToml {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(ways)) = schema.get_mut("anyOf") {
            ways.retain(|way| way.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = ways.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                // What is said of the key stands before what is said of its type.
                for (key, value) in only {
                    if schema.get(&key).is_none() {
                        schema.insert(key, value);
                    }
                }
            }
        }
    }
}

/// Descriptions as an editor shows them: without examples in Rust, links into its documentation and breaks of lines.
#[derive(Debug, Clone)]
struct PlainWords;

impl Transform for PlainWords {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::String(words)) = schema.get_mut("description") {
            *words = plain(words);
        }
    }
}

fn plain(words: &str) -> String {
    let first = words.split("\n# ").next().unwrap_or_default();
    let unbroken = first.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut left = unbroken.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    let mut plain = String::new();
    // A link is `[words]` or `[words](where)`; its words stay. In code a bracket is no link.
    while let Some(at) = left.find("[`").or_else(|| left.find('[')) {
        let Some(end) = left[at..].find(']').map(|end| at + end) else { break };
        plain.push_str(&left[..at]);
        plain.push_str(&left[at + 1..end]);
        let rest = &left[end + 1..];
        let behind = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(_, rest)| rest);
        left = behind.unwrap_or(rest).to_owned();
    }
    plain + &left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_plain() {
        let of_type = "How a list is cut.\nSee [`Capacity::of`] and\n[the guide](crate::guide).\n\n# Examples\n```\nlet x = 1;\n```";
        assert_eq!(plain(of_type), "How a list is cut. See `Capacity::of` and the guide.");
        assert_eq!(plain("Nothing [to close"), "Nothing [to close");
    }

    #[test]
    fn nothing_in_it_can_be_null() {
        let text = Project::json_schema().to_string();
        // `nulls` is a key.
        assert!(!text.contains("\"null\"") && !text.contains(":null"), "{text}");
        assert!(!text.contains("```") && !text.contains("crate::"), "{text}");
    }
}
