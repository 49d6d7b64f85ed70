//! Training on what an engine computed: the model that is trained on the records, to the bit, or none.

use std::path::Path;
use std::process::Command;

use earlyhelp::calendar::Horizon;
use earlyhelp::model::Trainer;
use earlyhelp::project::Project;
use earlyhelp::sql::{Dialect, TableFolder, Texts, staged_people, training_data};
use earlyhelp::synthetic::{CouncilParams, Format};

use super::engines::Engine;

/// Runs the texts of each training date over the staged tables, as somebody would who was given the folder.
fn run_all(python: &str, folder: &Path, project: &Project) {
    let spec = project.features().unwrap();
    let records = project.records().unwrap();
    for &as_of in &project.training.as_of {
        let texts = Texts::of_project(project, &spec, (as_of, Dialect::DuckDb)).unwrap();
        let texts = texts.with_outcome(&project.outcome).unwrap();
        let of_date = folder.join(as_of.to_string());
        std::fs::create_dir_all(&of_date).unwrap();
        for script in texts.scripts().into_iter().chain(texts.file_scripts("../")) {
            std::fs::write(of_date.join(script.name), script.text).unwrap();
        }
        for table in texts.staged_tables(&records).unwrap() {
            let path = folder.join(format!("{}.parquet", table.name));
            std::fs::write(path, table.into_parquet().unwrap()).unwrap();
        }
        let program = "import duckdb, glob\nto = duckdb.connect()\nfor file in sorted(glob.glob('*.sql')): to.execute(open(file).read())";
        let output = Command::new(python).current_dir(&of_date).args(["-c", program]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_model_of_duckdbs_features_is_the_model_of_the_records() {
    let Some(engine) = Engine::of(Dialect::DuckDb) else { return };
    let python = engine.python();
    let folder = tempfile::tempdir().unwrap();
    let council = CouncilParams::new(2_500, 3).generate().unwrap();
    let project = Project::load(council.write(folder.path(), Format::Csv).unwrap()).unwrap();
    let made = folder.path().join("made");
    run_all(python, &made, &project);

    let protected = project.protected().unwrap();
    let trainer = Trainer::by_name("logistic").unwrap();
    let records = project.records().unwrap();
    let (of_records, backtest) = project.test(&records, &protected, &trainer).unwrap();
    // No source is read but those that say who is known to a service.
    let people = staged_people(&project, &TableFolder::new(&made)).unwrap();
    assert!(people.sources().count() < project.sources.len() / 2);
    let data = training_data(&project, &made, &people).unwrap();
    let weighed = project.weighed(data, &protected).unwrap();
    let (of_tables, tested) = project.test_on(&weighed, &people, &trainer).unwrap();
    assert_eq!(json(of_tables.model()), json(of_records.model()));
    assert_eq!(json(tested.report()), json(backtest.report()));
    assert_eq!(of_tables.training().dates, of_records.training().dates);
    assert!(of_tables.training().sources.iter().any(|held| held.source == "eh_features"));
    // What nobody knows of such a model is said with every score.
    let blind = of_tables.training().cannot_see.iter().any(|line| line.contains("computed in SQL"));
    assert!(blind && of_records.training().cannot_see.len() < of_tables.training().cannot_see.len());

    // Of another date, with a case too few, or with labels that contradict each other: none.
    let dates: Vec<String> = project.training.as_of.iter().map(ToString::to_string).collect();
    let at = |date: &str, table: &str| made.join(date).join(format!("{table}.parquet"));
    let whole = std::fs::read(at(&dates[0], "eh_outcomes")).unwrap();
    let refusal = |bytes: &[u8]| {
        std::fs::write(at(&dates[0], "eh_outcomes"), bytes).unwrap();
        training_data(&project, &made, &people).err().unwrap().to_string()
    };
    let other = std::fs::read(at(&dates[1], "eh_outcomes")).unwrap();
    assert!(refusal(&other).contains("refused"));
    let cut = |query: &str| {
        let from = at(&dates[0], "eh_outcomes");
        std::fs::write(&from, &whole).unwrap();
        let query = format!(
            "COPY ({}) TO 'cut.parquet' (FORMAT parquet)",
            query.replace("FROM t", &format!("FROM '{}'", from.display()))
        );
        let run = Command::new(python)
            .current_dir(folder.path())
            .args(["-c", "import duckdb, sys; duckdb.sql(sys.argv[1])", &query])
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        std::fs::read(folder.path().join("cut.parquet")).unwrap()
    };
    assert!(refusal(&cut("SELECT * FROM t ORDER BY entity OFFSET 3")).contains("3 cases are missing"));
    let turned = "SELECT * REPLACE (1 - outcome AS outcome) FROM t";
    assert!(refusal(&cut(turned)).contains("contradict each other"));
    let unknown = "SELECT * REPLACE ('maybe' AS label) FROM t";
    assert!(refusal(&cut(unknown)).contains("a label that there is not"));
    let dated = "SELECT * REPLACE ('2001-01-01' AS as_of) FROM t";
    assert!(refusal(&cut(dated)).contains("of another date"));
    // And of the project as it was before somebody changed it.
    std::fs::write(at(&dates[0], "eh_outcomes"), &whole).unwrap();
    let changed = |change: &dyn Fn(&mut Project)| {
        let mut other = Project::load(folder.path().join("project.toml")).unwrap();
        change(&mut other);
        training_data(&other, &made, &people).err().unwrap().to_string()
    };
    let horizon = changed(&|project| project.outcome.horizon = Horizon::Months(3));
    assert!(horizon.contains("eh_outcomes was made by other texts"), "{horizon}");
    let window = changed(&|project| project.features[0].kinds = vec!["none of it".into()]);
    assert!(window.contains("eh_"), "{window}");
    let covered = changed(&|project| project.sources[0].coverage.from = Some("2001-01-01".parse().unwrap()));
    assert!(covered.contains("was made by other texts"), "{covered}");
    std::fs::remove_file(at(&dates[0], "eh_outcomes")).unwrap();
    assert!(training_data(&project, &made, &people).err().unwrap().to_string().contains("eh_outcomes"));
}

/// What is compared as JSON, to the last digit.
fn json(part: &impl serde::Serialize) -> String {
    serde_json::to_string(part).unwrap()
}
