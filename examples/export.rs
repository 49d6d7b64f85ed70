//! A project's training cases as a Parquet file: features as they were known at each date, and the
//! outcome, to look at them or to try another program on the very same cases.
//!
//! ```text
//! cargo run --release --example export -- council/project.toml cases.parquet
//! ```
//!
//! Columns: `entity`, `as_of`, `family`, `outcome`, then a column for each feature (see
//! `FeatureMatrix::to_polars` for how absences are written).

use std::error::Error;
use std::fs::File;

use earlyhelp::project::Project;
use polars::prelude::ParquetWriter;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, project, to] = arguments.as_slice() else {
        return Err("say which project, and which file to write: export PROJECT.toml CASES.parquet".into());
    };
    let project = Project::load(project)?;
    let records = project.records()?;
    let mut cases = project.dataset(&records)?.to_polars()?;
    ParquetWriter::new(File::create(to)?).finish(&mut cases)?;
    println!("{} cases, {} columns in {to}", cases.height(), cases.width());
    Ok(())
}
