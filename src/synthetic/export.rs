//! Writes a council to a folder: its extracts, and a project file that reads them.

use std::io;
use std::path::PathBuf;

use polars::prelude::{Column as Frame, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series};

use super::Council;
use super::table::{Cells, Column, CouncilFile};
use crate::calendar::Day;
use crate::error::SyntheticError;
use crate::outputs::Outputs;

/// In which form extracts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated text.
    Csv,
    /// Parquet.
    Parquet,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

impl Council {
    /// Writes all extracts, `project.toml` and `truth.json` (what was planted) into a folder, which is
    /// made if need be: all of them or none, and over nothing but what was written there before ([`Outputs`]). Gives the
    /// path of the project file.
    ///
    /// # Errors
    /// [`SyntheticError::Outputs`] where a file cannot be written, or another one has its name.
    pub fn write(&self, folder: impl Into<Outputs>, format: Format) -> Result<PathBuf, SyntheticError> {
        let outputs: Outputs = folder.into();
        let mut writing = outputs.start()?;
        // First, since the set goes by it.
        let project = "project.toml";
        writing.file(project, |to| to.write_all(self.project_toml(format).as_bytes()))?;
        writing.file("truth.json", |to| {
            serde_json::to_writer_pretty(&mut *to, self.truth())?;
            to.write_all(b"\n")
        })?;
        for extract in self.extracts() {
            let name = format!("{}.{}", extract.name(), format.ending());
            match format {
                Format::Csv => writing.file(&name, |to| extract.write_csv(to))?,
                Format::Parquet => {
                    let mut frame = extract.to_polars()?;
                    writing.file(&name, |to| {
                        ParquetWriter::new(to).finish(&mut frame).map(|_| ()).map_err(io::Error::other)
                    })?;
                }
            }
        }
        writing.finish()?;
        Ok(outputs.path(project))
    }

    /// The text of a project file over the extracts in a format.
    #[must_use]
    pub fn project_toml(&self, format: Format) -> String {
        let mut text = include_str!("project.toml").replace("{ending}", format.ending());
        for coverage in self.coverage() {
            // The project names the last day covered, the council the first that is not.
            let says = format!(
                "from = \"{}\", to = \"{}\", updated = \"{}\"",
                coverage.from,
                coverage.to - 1,
                coverage.last_updated
            );
            text = text.replace(&format!("{{coverage:{}}}", coverage.source), &says);
        }
        if self.families {
            // A family's records are those of all its members, and the file of characteristics is by person.
            text = text
                .replace("scope = \"both\"\n", "")
                .replace("scope = \"household\"\n", "")
                .replace(
                    "columns = { entity = \"person_id\", char",
                    "columns = { entity = \"person_id\", of_family = \"youngest\", char",
                )
                .replace("# Children who are not on", "# Families with a child, of whom nobody is on")
                .replace("[cohort]\n", "[cohort]\nunit = \"family\"\n");
        }
        text
    }
}

impl CouncilFile {
    /// The extract as a frame: dates as dates, numbers as numbers, damaged columns as the text in them.
    ///
    /// # Errors
    /// [`SyntheticError::Frame`] where polars refuses it.
    pub fn to_polars(&self) -> Result<DataFrame, SyntheticError> {
        let failed = |error: polars::error::PolarsError| SyntheticError::Frame(error.to_string());
        let columns =
            self.columns().iter().map(|column| series(column).map_err(failed)).collect::<Result<_, _>>()?;
        DataFrame::new(self.rows(), columns).map_err(failed)
    }
}

fn series(column: &Column) -> Result<Frame, polars::error::PolarsError> {
    let name = column.name().into();
    let series = match column.cells() {
        Cells::Date(days) if column.damage().is_empty() => {
            let days: Vec<Option<i32>> = days.iter().map(|day| day.map(Day::epoch_days)).collect();
            Series::new(name, days).cast(&DataType::Date)?
        }
        Cells::Number(values) if column.damage().is_empty() => Series::new(name, values),
        _ => {
            let texts: Vec<Option<String>> =
                column.iter().map(|text| Some(text.into_owned()).filter(|text| !text.is_empty())).collect();
            Series::new(name, texts)
        }
    };
    Ok(series.into_column())
}
