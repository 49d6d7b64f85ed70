//! A plan as the text of a project file, with what is to be decided in comments.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::plan::{
    Aim, DECIDE, Plan, Possible, Taken, date_columns, found_coverage, has_letters, word_columns,
};
use crate::project::UNDECIDED;
use crate::records::{Facts, IdentityColumns, Joined, MOST_ROWS, Table};

/// What a text is written from.
pub(super) struct Written<'t> {
    pub(super) plan: &'t Plan,
    pub(super) tables: &'t [Table],
    /// The folder of the project file, as canonical as the tables' paths.
    pub(super) base: &'t Path,
    pub(super) possible: Possible,
}

/// Keys in the order in which people write them; others follow.
const ORDER: [&str; 33] = [
    "name",
    "words",
    "form",
    "entity",
    "system",
    "person",
    "household",
    "characteristics",
    "not_held",
    "source",
    "kinds",
    "roles",
    "where",
    "label",
    "unit",
    "kind",
    "occurred",
    "start",
    "ended",
    "end",
    "known",
    "ended_known",
    "value",
    "of",
    "role",
    "reference",
    "measure",
    "over",
    "scope",
    "categories",
    "date_of_birth",
    "lag_days",
    "measures",
];

/// A value as it stands behind `=`.
fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let parts: Vec<String> =
                in_order(table).map(|(key, value)| format!("{} = {}", key_of(key), inline(value))).collect();
            if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
        }
        toml::Value::Array(values) => {
            format!("[{}]", values.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn key_of(key: &str) -> String {
    let is_bare =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { key.to_owned() } else { toml::Value::String(key.to_owned()).to_string() }
}

fn in_order(table: &toml::Table) -> impl Iterator<Item = (&String, &toml::Value)> {
    let mut entries: Vec<(&String, &toml::Value)> = table.iter().collect();
    entries.sort_by_key(|(key, _)| ORDER.iter().position(|held| held == key).unwrap_or(ORDER.len()));
    entries.into_iter()
}

fn table_of(value: &impl Serialize) -> toml::Table {
    match toml::Value::try_from(value) {
        Ok(toml::Value::Table(table)) => table,
        _ => toml::Table::new(),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Written<'_> {
    /// The whole text.
    pub(super) fn text(&self, aim: Option<&Aim>, folder: &str) -> String {
        let mut text = format!(
            "# Drafted from the files in {folder}. Lines marked `# {DECIDE}` ask for a decision: take it, and delete the line.\n\
             # Up to {MOST_ROWS} rows of each table were looked into. No value of a person stands in this file, but for codes that\n\
             # at least ten people share.\n\n\
             name = \"Early help\"\n\
             # {DECIDE}what scores are for, in the council's own words; a release is signed for this purpose.\n\
             purpose = \"{UNDECIDED}\"\n\
             seed = 1\n\
             # What the model cannot see; it is shown with every score.\n\
             cannot_see = [\"Families who moved here recently: their records elsewhere are not linked.\"]\n"
        );
        let plan = self.plan;
        if !plan.left_out.is_empty() {
            text.push_str("\n# Not taken for anything:\n");
            plan.left_out.iter().for_each(|note| comment(&mut text, note));
        }
        for taken in &plan.identities {
            let days: Vec<String> = match &taken.columns {
                IdentityColumns::Crosswalk { from, to, .. } => from.iter().chain(to).cloned().collect(),
                IdentityColumns::Merged { on, .. } => on.iter().cloned().collect(),
                _ => Vec::new(),
            };
            self.file(&mut text, ("[identities]", Some(taken)), (&days, &[]));
        }
        let people = plan.people.iter().map(|taken| &taken.columns);
        let days: Vec<String> =
            people.flat_map(|columns| columns.date_of_birth.iter().chain(&columns.died).cloned()).collect();
        self.file(&mut text, ("people", plan.people.as_ref()), (&days, &[]));
        let moves =
            plan.households.iter().flat_map(|taken| taken.columns.start.iter().chain(&taken.columns.end));
        let moves: Vec<String> = moves.cloned().collect();
        self.file(&mut text, ("households", plan.households.as_ref()), (&moves, &[]));
        let held = plan.protected.iter().flat_map(|taken| taken.columns.characteristics.iter().cloned());
        self.file(&mut text, ("protected", plan.protected.as_ref()), (&[], &held.collect::<Vec<_>>()));
        for source in &plan.sources {
            let table = &self.tables[source.table];
            text.push('\n');
            source.notes.iter().for_each(|note| comment(&mut text, note));
            let dates: Vec<String> = date_columns(&source.columns).map(str::to_owned).collect();
            let held: Vec<String> = word_columns(&source.columns).map(str::to_owned).collect();
            let read = read(table, (&dates, &held), &mut text);
            let _ =
                writeln!(text, "[[source]]\nname = {}\npath = {}", quoted(&source.name), self.path(table));
            text.push_str(&read);
            if let Some(Joined { path, on: [local, key], columns }) = &table.join {
                let columns: Vec<String> = columns
                    .iter()
                    .map(|(name, column)| format!("{} = {}", key_of(name), quoted(column)))
                    .collect();
                let _ = writeln!(
                    text,
                    "join = [{{ path = {}, on = [{}, {}], columns = {{ {} }} }}]",
                    self.seen(path),
                    quoted(local),
                    quoted(key),
                    columns.join(", ")
                );
            }
            let _ = writeln!(text, "columns = {}", inline(&toml::Value::Table(table_of(&source.columns))));
            if let Some((from, to)) = found_coverage(&source.columns, table, self.possible) {
                text.push_str(
                    "# From when to when it holds everything, as far as its rows show: put it right. Of an extract that comes \
                     once a term or\n# a year say after how many days it is too old (`stale_after_days`).\n",
                );
                let _ = writeln!(text, "coverage = {{ from = \"{from}\", to = \"{to}\" }}");
            }
        }
        match aim {
            Some(aim) => write_aim(&mut text, aim),
            None => comment(
                &mut text,
                &format!(
                    "{DECIDE}no table could be taken for a source of dated records, so there is nothing to foresee."
                ),
            ),
        }
        text
    }

    fn file<C: Serialize>(
        &self,
        text: &mut String,
        (key, taken): (&str, Option<&Taken<C>>),
        (dates, held): (&[String], &[String]),
    ) {
        let Some(taken) = taken else { return };
        let table = &self.tables[taken.table];
        text.push('\n');
        taken.notes.iter().for_each(|note| comment(text, note));
        let read = read(table, (dates, held), text);
        let _ = writeln!(text, "[{key}]\npath = {}", self.path(table));
        text.push_str(&read);
        let _ = writeln!(text, "columns = {}", inline(&toml::Value::Table(table_of(&taken.columns))));
    }

    /// The path of a table as seen from the project file.
    fn path(&self, table: &Table) -> String {
        self.seen(&table.path)
    }

    fn seen(&self, path: &Path) -> String {
        quoted(&relative(path, self.base).to_string_lossy().replace('\\', "/"))
    }
}

/// A path as seen from a folder, so that project and extracts can move together; as it is where they share nothing.
fn relative(path: &Path, base: &Path) -> PathBuf {
    let up = base.ancestors().position(|above| above.parent().is_some() && path.starts_with(above));
    let Some(up) = up else { return path.to_path_buf() };
    let shared = base.ancestors().nth(up).unwrap_or(base);
    let below = path.strip_prefix(shared).unwrap_or(path);
    std::iter::repeat_n(Path::new(".."), up).chain([below]).collect()
}

fn write_aim(text: &mut String, aim: &Aim) {
    let cohort = table_of(&aim.cohort);
    text.push_str(
        "\n# Who is asked about. Whom a service works with already is marked by [[known_to]]: which records tell that here?\n[cohort]\n",
    );
    for (key, value) in in_order(&cohort) {
        let _ = writeln!(text, "{key} = {}", inline(value));
    }
    text.push_str(
        "\n# What the model may read. Say for each why it is given it (`why`): it stands in every paper. Say what one record is \
         called,\n# and several (`noun = { one = \"...\", many = \"...\" }`): practitioners read it in every sentence, and without it \
         the file's name.\n",
    );
    aim.feature_notes.iter().for_each(|note| comment(text, note));
    for feature in &aim.features {
        text.push_str("\n[[feature]]\n");
        let of_default = [("scope", "\"own\""), ("direction", "\"none\""), ("help_seeking", "false")];
        for (key, value) in in_order(&table_of(feature)) {
            let value = inline(value);
            if !of_default.contains(&(key.as_str(), value.as_str())) {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
    }
    text.push('\n');
    aim.notes.iter().for_each(|note| comment(text, note));
    text.push_str("[outcome]\n");
    for (key, value) in in_order(&table_of(&aim.outcome)) {
        if !(key == "counts" && value.as_str() == Some("any")) {
            let _ = writeln!(text, "{key} = {}", inline(value));
        }
    }
    if !aim.known_notes.is_empty() {
        text.push('\n');
        aim.known_notes.iter().for_each(|note| comment(text, note));
    }
    text.push('\n');
    aim.date_notes.iter().for_each(|note| comment(text, note));
    let dates: Vec<String> = aim.as_of.iter().map(|day| format!("\"{day}\"")).collect();
    let _ = write!(
        text,
        "[training]\nas_of = [{}]\n# {DECIDE}how long a list the team can review: {{ cases = 20 }}, or a share of the \
         cohort.\ncapacity = {{ share = 0.05 }}\n",
        dates.join(", ")
    );
}

fn comment(text: &mut String, note: &str) {
    // A name of a column may have a line break in it.
    let note: Vec<&str> = note.split_whitespace().collect();
    let _ = writeln!(text, "# {}", note.join(" "));
}

/// The `read` of a table, where its defaults do not do; what is in doubt is said above it.
fn read(table: &Table, (dates, held): (&[String], &[String]), text: &mut String) -> String {
    let mut options = Vec::new();
    if let Some(sheet) = &table.sheet {
        options.push(format!("sheet = {}", quoted(sheet)));
    }
    let columns = || dates.iter().filter_map(|name| table.column(name));
    let orders: Vec<bool> = columns().filter_map(Facts::month_first).collect();
    if let Some(form) = table.dates.as_ref().filter(|_| !dates.is_empty()) {
        let form = toml::Value::try_from(form).map_or_else(|_| String::new(), |form| inline(&form));
        options.push(format!("dates = {form}"));
    } else if orders.contains(&true) {
        options.push("dates = \"mm/dd/yyyy\"".to_owned());
    } else if !orders.is_empty() && !columns().any(Facts::is_day_first) {
        // Where another column shows it, it is read as that one.
        comment(
            text,
            &format!(
                "{DECIDE}its dates do not show whether the day or the month comes first; the day is taken to."
            ),
        );
        options.push("dates = \"dd/mm/yyyy\"".to_owned());
    }
    if has_letters(table, held.iter().map(String::as_str)) {
        options.push("list_letters = true".to_owned());
    }
    if options.is_empty() { String::new() } else { format!("read = {{ {} }}\n", options.join(", ")) }
}
