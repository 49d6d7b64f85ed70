//! Files that are too large, never end, or ask for more room than there is, are errors: they end soon, in two gigabytes. And
//! nothing is read that lies elsewhere than whoever runs a project allows.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use earlyhelp::error::{Error, ProjectError};
use earlyhelp::project::Project;
use tempfile::TempDir;

const PROJECT: &str = r#"
name = "n"
purpose = "p"
[[source]]
name = "s"
path = "PATH"
columns = { entity = "id", kind = { column = "kind" }, occurred = "on" }
[[feature]]
source = "s"
measure = "count"
over = [OVER]
[outcome]
name = "o"
words = "w"
horizon = "90 days"
records = [{ source = "s" }]
[training]
as_of = ["2024-01-01"]
capacity = { cases = 1 }
"#;

/// A folder with a project over one extract.
fn folder(path: &str, over: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = PROJECT.replace("PATH", path).replace("OVER", over);
    std::fs::write(folder.path().join("project.toml"), text).unwrap();
    folder
}

/// What the command complains of, with no more than two gigabytes of room where the system can hold it to that.
fn refused(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_earlyhelp");
    let output = if cfg!(target_os = "linux") {
        let held = "ulimit -v 2000000; exec \"$0\" \"$@\"";
        Command::new("sh").args(["-c", held, program]).args(arguments).output().unwrap()
    } else {
        Command::new(program).args(arguments).output().unwrap()
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.len() < 30_000, "{} bytes of error", said.len());
    said
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_cell_without_an_end_and_a_million_columns_are_errors() {
    let folder = folder("x.csv", "\"365 days\"");
    let (project, extract) = (folder.path().join("project.toml"), folder.path().join("x.csv"));
    let mut file = std::io::BufWriter::new(std::fs::File::create(&extract).unwrap());
    file.write_all(b"id,kind,on\np1,v,2023-01-01\np2,\"").unwrap();
    (0..500).for_each(|_| file.write_all(&vec![b'x'; 1_000_000]).unwrap());
    file.write_all(b"\",2023-01-01\n").unwrap();
    drop(file);
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("line 3 has more than 16777216 bytes"), "{said}");

    let names: String = (0..1_000_000).flat_map(|nth: u32| [",c".to_owned(), nth.to_string()]).collect();
    std::fs::write(&extract, format!("id,kind,on{names}\np1,v,2023-01-01\n")).unwrap();
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("more than 16384 columns"), "{said}");
    std::fs::remove_file(&project).unwrap();
    let said = refused(&["init", text(folder.path())]);
    assert!(said.contains("columns"), "{said}");
}

#[test]
fn a_million_features_and_too_many_resamples_are_errors() {
    let windows: Vec<String> = (0..200_000).map(|nth| format!("\"{} days\"", nth % 30_000 + 1)).collect();
    let many = folder("x.csv", &windows.join(","));
    let said = refused(&["check", text(&many.path().join("project.toml"))]);
    assert!(said.contains("more windows than"), "{said}");

    let few = folder("x.csv", "\"365 days\"");
    let project = few.path().join("project.toml");
    let asked = std::fs::read_to_string(&project).unwrap() + "resamples = 4000000000\n";
    std::fs::write(&project, asked).unwrap();
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("training.resamples") && said.contains("99999"), "{said}");
}

#[test]
fn a_sheet_whose_cells_lie_in_opposite_corners_is_an_error() {
    let folder = folder("x.xlsx", "\"365 days\"");
    let sheet = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
        <row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>
        <row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>"#;
    let types = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml"
        ContentType="application/xml"/><Default Extension="rels"
        ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"#;
    let book = r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1"
        r:id="rId1"/></sheets></workbook>"#;
    let relations = |target: &str, kind: &str| {
        format!(
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
            Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>"#
        )
    };
    let mut file = zip::ZipWriter::new(std::fs::File::create(folder.path().join("x.xlsx")).unwrap());
    for (name, content) in [
        ("[Content_Types].xml", types),
        ("_rels/.rels", &relations("xl/workbook.xml", "officeDocument")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", &relations("worksheets/sheet1.xml", "worksheet")),
        ("xl/worksheets/sheet1.xml", sheet),
    ] {
        file.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        file.write_all(content.as_bytes()).unwrap();
    }
    file.finish().unwrap();
    let said = refused(&["check", text(&folder.path().join("project.toml"))]);
    assert!(said.contains("so far apart"), "{said}");
}

#[test]
fn an_old_sheet_whose_cells_lie_in_opposite_corners_is_an_error() {
    let book = include_bytes!("fixtures/twins/old.xls");
    // A cell that holds a text: its kind, ten bytes; then its row and its column.
    let kind = b"\xfd\x00\x0a\x00";
    let places: Vec<usize> = (0..book.len() - 8).filter(|&at| book[at..].starts_with(kind)).collect();
    let folder = folder("x.xls", "\"365 days\"");
    for at in [places[0], places[places.len() - 1]] {
        let mut far = book.to_vec();
        far[at + 4..at + 8].fill(0xff);
        std::fs::write(folder.path().join("x.xls"), far).unwrap();
        let said = refused(&["check", text(&folder.path().join("project.toml"))]);
        assert!(said.contains("so far apart"), "{said}");
    }
}

/// An archive with these files, and its bytes.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        file.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        file.write_all(content).unwrap();
    }
    file.finish().unwrap().into_inner()
}

#[test]
fn what_was_packed_a_thousandfold_is_an_error() {
    let much = vec![b' '; 300 << 20];
    let packed = archive(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", &much)]);
    assert!(packed.len() < 1 << 20, "{}", packed.len());
    // What an archive says of the size is not believed: four bytes of its list, and of the file's own head.
    let mut lying = packed.clone();
    let size = (much.len() as u32).to_le_bytes();
    let places: Vec<usize> = (0..packed.len() - 4).filter(|&at| packed[at..at + 4] == size).collect();
    assert!(!places.is_empty());
    for &at in &places {
        lying[at..at + 4].copy_from_slice(&[7, 0, 0, 0]);
    }
    for (name, bytes) in [
        ("x.xlsx", packed),
        ("x.xlsx", lying),
        ("x.zip", archive(&[("x.csv", &much)])),
        ("x.parquet.zst", zstd::encode_all(much.as_slice(), 1).unwrap()),
    ] {
        let folder = folder(name, "\"365 days\"");
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let said = refused(&["check", text(&folder.path().join("project.toml"))]);
        let is_said = said.contains("unpacks to more than the 268435456 bytes");
        assert!(is_said || said.contains("larger than its declared uncompressed size"), "{name}: {said}");
    }
}

#[test]
fn an_error_shows_a_part_of_a_long_line() {
    let folder = folder("x.csv", "\"365 days\"");
    let project = folder.path().join("project.toml");
    std::fs::write(&project, format!("name = {}\n", "y".repeat(3_000_000))).unwrap();
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("line 1") && said.contains("are not shown"), "{said}");
    std::fs::write(&project, vec![b'y'; 50_000_000]).unwrap();
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("more than the 4194304 bytes"), "{said}");
}

#[test]
#[cfg(unix)]
fn nothing_waits_for_a_pipe_or_a_device() {
    let folder = folder("x.csv", "\"365 days\"");
    let pipe = folder.path().join("x.csv");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for arguments in [
        ["check", text(&folder.path().join("project.toml"))],
        ["check", text(&pipe)],
        ["explain", text(&pipe)],
        ["explain", "/dev/zero"],
    ] {
        let said = refused(&arguments);
        assert!(said.contains("a pipe, a device or a folder"), "{said}");
    }
    let project = folder.path().join("project.toml");
    let keyed = std::fs::read_to_string(&project).unwrap() + "[pseudonyms]\nkey_file = \"x.csv\"\n";
    std::fs::write(&project, keyed).unwrap();
    let said = refused(&["check", text(&project)]);
    assert!(said.contains("key file") && said.contains("a pipe, a device or a folder"), "{said}");
}

/// What somebody keeps in a folder that is nobody else's matter, and a project beside it that names it in `lines`.
fn nosy(lines: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let (own, private) = (root.path().join("own"), root.path().join("private"));
    for folder in [&own, &private] {
        std::fs::create_dir(folder).unwrap();
    }
    let rows = "id,kind,on,code\nchild-7,visit,2023-05-01,k\n";
    std::fs::write(private.join("secrets.csv"), rows).unwrap();
    std::fs::write(private.join("codes.csv"), "value,meaning,code,words\nvisit,visit,k,keepsake\n").unwrap();
    std::fs::write(private.join("key"), "0123456789abcdef0123456789abcdef").unwrap();
    std::fs::write(own.join("rows.csv"), rows).unwrap();
    let lines = lines.replace("ROOT", &root.path().to_string_lossy().replace('\\', "/"));
    let beside = format!("path = \"rows.csv\"\n{lines}");
    let (before, source) = match lines.split(' ').next() {
        Some("path") => ("", lines.as_str()),
        Some("join") => ("", beside.as_str()),
        _ => (lines.as_str(), "path = \"rows.csv\""),
    };
    let text = PROJECT.replace("path = \"PATH\"", source).replace("OVER", "\"ever\"");
    let asks = if lines.starts_with("join") {
        "occurred = \"on\", categories = [\"words\"]"
    } else {
        "occurred = \"on\""
    };
    let text = text.replace("occurred = \"on\"", asks);
    std::fs::write(own.join("project.toml"), format!("{before}\n{text}")).unwrap();
    root
}

#[test]
fn a_project_reads_nothing_outside_its_folders() {
    let ways = [
        "path = \"../private/secrets.csv\"",
        "path = \"ROOT/private/secrets.csv\"",
        "path = \"../*/secrets.csv\"",
        "path = [\"rows.csv\", \"../private/secrets.csv\"]",
        "path = \"rows.csv\"\ncodes = { kind = \"../private/codes.csv\" }",
        "join = [{ file = \"../private/codes.csv\", on = [\"code\", \"code\"], columns = { words = \"words\" } }]",
        "join = [{ path = \"ROOT/private/codes.csv\", on = [\"code\", \"code\"], columns = { words = \"words\" } }]",
        "path = \"rows.csv\"\ncodes = { kind = \"../private/cod*.csv\" }",
        "join = [{ file = \"../priv*/codes.csv\", on = [\"code\", \"code\"], columns = { words = \"words\" } }]",
        "join = [{ path = \"ROOT/private/**/codes.csv\", on = [\"code\", \"code\"], columns = { words = \"words\" } }]",
        "pseudonyms = { key_file = \"../private/key\" }",
    ];
    for way in ways {
        let root = nosy(way);
        let project = || Project::load(root.path().join("own/project.toml")).unwrap();
        let told = project().records().unwrap_err();
        assert!(matches!(told, Error::Project(ProjectError::Outside { .. })), "{way}: {told}");
        assert!(matches!(project().check(), Err(Error::Project(ProjectError::Outside { .. }))), "{way}");
        assert!(
            matches!(project().reading_faults()[..], [Error::Project(ProjectError::Outside { .. })]),
            "{way}"
        );
        assert!(
            matches!(project().protected(), Err(Error::Project(ProjectError::Outside { .. })) | Ok(_)),
            "{way}"
        );
        // Allowing another folder allows nothing here, and whoever runs it can allow this one.
        assert!(project().may_read(root.path().join("own")).records().is_err(), "{way}");
        let read = project().may_read(root.path().join("private")).records();
        assert!(read.is_ok(), "{way}: {}", read.unwrap_err());
        let file = root.path().join("own/project.toml");
        let file = file.to_string_lossy();
        let told = refused(&["check", &file]);
        assert!(told.contains("--may-read"), "{way}: {told}");
        assert!(
            !told.contains("child-7") && !told.contains("keepsake") && !told.contains("0123456789"),
            "{told}"
        );
    }
    #[cfg(unix)]
    {
        let root = nosy("path = \"link.csv\"");
        std::os::unix::fs::symlink(root.path().join("private/secrets.csv"), root.path().join("own/link.csv"))
            .unwrap();
        let project = Project::load(root.path().join("own/project.toml")).unwrap();
        assert!(matches!(project.records(), Err(Error::Project(ProjectError::Outside { .. }))));
        // A project that is itself reached by a link is at home where it really stands.
        let root = nosy("path = \"rows.csv\"");
        std::os::unix::fs::symlink(root.path().join("own"), root.path().join("by-link")).unwrap();
        assert!(Project::load(root.path().join("by-link/project.toml")).unwrap().records().is_ok());
    }
}
