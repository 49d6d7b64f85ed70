//! Writes a council to a folder: its extracts, and a project file that reads them.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use polars::prelude::{Column as Frame, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series};

use super::Council;
use super::table::{Cells, Column, CouncilFile};
use crate::calendar::Day;
use crate::error::SyntheticError;

/// In which form extracts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// made if need be. Gives the path of the project file.
    ///
    /// # Errors
    /// [`SyntheticError::Write`] where a file cannot be written.
    pub fn write(&self, folder: &Path, format: Format) -> Result<PathBuf, SyntheticError> {
        let failed = |path: &Path, why: String| SyntheticError::Write { path: path.to_owned(), why };
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error.to_string()))?;
        for extract in self.extracts() {
            let path = folder.join(format!("{}.{}", extract.name(), format.ending()));
            let file = BufWriter::new(File::create(&path).map_err(|error| failed(&path, error.to_string()))?);
            match format {
                Format::Csv => extract.write_csv(file).map_err(|error| failed(&path, error.to_string()))?,
                Format::Parquet => {
                    let mut frame = extract.to_polars()?;
                    ParquetWriter::new(file)
                        .finish(&mut frame)
                        .map_err(|error| failed(&path, error.to_string()))?;
                }
            }
        }
        let truth = folder.join("truth.json");
        let text = serde_json::to_string_pretty(self.truth()).map_err(|e| failed(&truth, e.to_string()))?;
        std::fs::write(&truth, text + "\n").map_err(|error| failed(&truth, error.to_string()))?;
        let project = folder.join("project.toml");
        std::fs::write(&project, self.project_toml(format))
            .map_err(|error| failed(&project, error.to_string()))?;
        Ok(project)
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
