//! Options of a run that name the same file are rejected before any file is opened, because one
//! would overwrite the other.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::{config, folder_of};
use insta::assert_snapshot;
use std::fs::{File, hard_link};
use std::os::unix::fs::symlink;

/// A folder with two rows, which no store can be asked for.
fn folder() -> Folder {
    let folder = folder_of(&config("http://127.0.0.1:1"));
    folder.write("rows.ndjson", "{\"tailnum\":\"N1\"}\n{\"tailnum\":\"N2\"}\n");
    folder
}

/// All names, and the content of what is a file.
fn state(folder: &Folder) -> Vec<(String, Option<String>)> {
    let content = |name: String| {
        let content = folder.file(&name).is_file().then(|| folder.read(&name));
        (name, content)
    };
    folder.names().into_iter().map(content).collect()
}

/// Says what a run with these arguments says, and that it touched nothing.
#[track_caller]
fn refused(folder: &Folder, arguments: &str) -> String {
    let before = state(folder);
    let ended = Beamlet::run(folder, arguments).end();
    assert_eq!(ended.code, Some(2), "{arguments}: {ended}");
    assert_eq!(ended.stdout, "", "{arguments}");
    assert_eq!(state(folder), before, "{arguments}");
    ended.stderr.trim_start_matches("error: ").to_owned()
}

#[test]
fn dead_letters_are_not_written_over_the_output() {
    let folder = folder();
    let printed = refused(&folder, "--input rows.ndjson --output o.ndjson --dead-letter o.ndjson");
    assert_snapshot!(printed, @"--dead-letter o.ndjson and --output o.ndjson are the same file; name another file for one of them");
}

#[test]
fn dead_letters_are_not_written_over_the_input() {
    let folder = folder();
    let printed =
        refused(&folder, "--input rows.ndjson --output o.ndjson --dead-letter rows.ndjson");
    assert_snapshot!(printed, @"--dead-letter rows.ndjson is the file that --input rows.ndjson reads; name another file");
}

#[test]
fn a_summary_is_written_over_no_file_of_the_run() {
    let folder = folder();
    for file in ["rows.ndjson", "o.ndjson", "dead.ndjson", "beamlet.toml"] {
        let printed = refused(
            &folder,
            &format!(
                "--input rows.ndjson --output o.ndjson --dead-letter dead.ndjson --summary {file}"
            ),
        );
        assert!(printed.starts_with(&format!("--summary {file} ")), "{printed}");
    }
}

#[test]
fn a_file_is_known_by_another_spelling_a_link_and_a_hard_link() {
    let folder = folder();
    symlink("rows.ndjson", folder.file("link.ndjson")).unwrap();
    symlink(".", folder.file("here")).unwrap();
    hard_link(folder.file("rows.ndjson"), folder.file("hard.ndjson")).unwrap();
    let absolute = folder.file("rows.ndjson").display().to_string();
    for name in
        ["./rows.ndjson", "here/./here/rows.ndjson", "link.ndjson", "hard.ndjson", &absolute]
    {
        for option in ["--dead-letter", "--summary"] {
            refused(&folder, &format!("--input rows.ndjson --output o.ndjson {option} {name}"));
        }
    }
}

#[test]
fn outputs_that_are_not_there_yet_are_known_by_their_directory_and_by_links_to_them() {
    let folder = folder();
    symlink("o.ndjson", folder.file("link.ndjson")).unwrap();
    symlink("link.ndjson", folder.file("second.ndjson")).unwrap();
    std::fs::create_dir(folder.file("sub")).unwrap();
    for name in ["./o.ndjson", "sub/../o.ndjson", "link.ndjson", "second.ndjson"] {
        refused(&folder, &format!("--input rows.ndjson --output o.ndjson --dead-letter {name}"));
    }
}

#[test]
fn the_configuration_and_the_files_of_its_secrets_are_not_written_over() {
    let folder = folder();
    let config = config("http://127.0.0.1:1").replace("'Zq7w-Xv9p-Lm2d-Rt4k'", "{ file = 'key' }");
    folder.write("beamlet.toml", config);
    folder.write("key", "k3y-k3y\n");
    let printed =
        refused(&folder, "--input rows.ndjson --output-format ndjson --output beamlet.toml");
    assert_snapshot!(printed, @"--output beamlet.toml is the file that --config beamlet.toml reads; name another file");
    let printed = refused(&folder, "--input rows.ndjson --output o.ndjson --dead-letter key");
    assert_snapshot!(printed, @"--dead-letter key is the file that the configuration: key reads; name another file");
}

#[test]
fn dead_letters_of_the_configuration_are_refused_as_those_of_the_command_line_are() {
    let folder = folder();
    let config = config("http://127.0.0.1:1") + "[run]\ndead_letter = 'o.ndjson'\n";
    folder.write("beamlet.toml", config);
    let printed = refused(&folder, "--input rows.ndjson --output o.ndjson");
    assert_snapshot!(printed, @"run.dead_letter o.ndjson and --output o.ndjson are the same file; name another file for one of them");
}

#[test]
fn standard_output_is_one_output() {
    let folder = folder();
    let printed = refused(&folder, "--input rows.ndjson --dead-letter -");
    assert_snapshot!(printed, @"--dead-letter - and --output - are both standard output; name a file for one of them");
    let printed = refused(&folder, "--input rows.ndjson --summary -");
    assert_snapshot!(printed, @"--summary - and --output - are both standard output; name a file for one of them");
    refused(&folder, "--input rows.ndjson --output o.ndjson --dead-letter - --summary -");
    refused(&folder, "--input rows.ndjson --output /dev/stdout --summary -");
    refused(&folder, "--input rows.ndjson --output - --dead-letter /dev/fd/1");
}

#[test]
fn standard_output_that_goes_into_the_input_is_refused() {
    let folder = folder();
    let before = state(&folder);
    let log = File::options().append(true).open(folder.file("rows.ndjson")).unwrap();
    let ended = Beamlet::run(&folder, "--input rows.ndjson").stdout(log).end();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("--output - is the file that --input rows.ndjson reads"));
    assert_eq!(state(&folder), before);
}

#[test]
fn an_output_among_the_files_of_the_input_is_refused() {
    let folder = folder();
    std::fs::create_dir(folder.file("t")).unwrap();
    folder.write("t/a.ndjson", "{\"tailnum\":\"N1\"}\n");
    folder.write("t/out.ndjson", "{\"tailnum\":\"N1\",\"planes.year\":null}\n");
    for input in ["t", "t/", "t/*.ndjson", "**/*.ndjson"] {
        for option in ["--output", "--output o.ndjson --dead-letter", "--output o.ndjson --summary"]
        {
            let ended =
                Beamlet::run(&folder, &format!("--input {input} {option} ./t/out.ndjson")).end();
            assert_eq!(ended.code, Some(2), "{input}: {ended}");
        }
    }
    let ended = Beamlet::run(&folder, "--input t --output t/out.ndjson").end();
    assert_snapshot!(ended.stderr, @"error: --output t/out.ndjson is one of the files that --input t reads; write it to another directory, or name the input with a pattern that leaves it out");
}

#[test]
fn a_report_of_conform_is_written_over_none_of_its_files() {
    let folder = folder();
    let conform = "conform tecton --config beamlet.toml --keys rows.ndjson --json";
    for (file, printed) in [
        ("rows.ndjson", "--json rows.ndjson is the file that --keys rows.ndjson reads"),
        ("beamlet.toml", "--json beamlet.toml is the file that --config beamlet.toml reads"),
        ("-", "both standard output"),
    ] {
        let before = state(&folder);
        let ended = Beamlet::new(&folder, &format!("{conform} {file}")).end();
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(printed), "{ended}");
        assert_eq!(state(&folder), before);
    }
}
