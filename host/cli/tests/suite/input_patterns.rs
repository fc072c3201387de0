//! Which files a pattern stands for.
#![cfg(unix)]

use crate::support::beamlet::{Beamlet, Folder};
use crate::support::store::Store;
use std::fs;
use std::os::unix::fs::symlink;

/// A file of one row that has the file's name, in a directory that is made for it.
fn row(folder: &Folder, name: &str) {
    fs::create_dir_all(folder.file(name).parent().unwrap()).unwrap();
    folder.write(name, format!("{{\"from\":\"{name}\",\"tailnum\":null}}\n"));
}

/// The files of which rows come out, in that order.
fn read(store: &Store, folder: &Folder, input: &str) -> Vec<String> {
    folder.write("beamlet.toml", crate::support::store::config(&store.url()));
    let out = Beamlet::run(folder, &format!("--input {input} --output-format ndjson")).succeed();
    let from = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        row["from"].as_str().unwrap().to_owned()
    };
    out.lines().map(from).collect()
}

#[test]
fn names_that_begin_with_a_dot_or_an_underscore_are_left_out_at_every_depth() {
    let (store, folder) = (Store::start(), Folder::new());
    for name in [
        "t/a.ndjson",
        "t/x/b.ndjson",
        "t/_temporary/0/c.ndjson",
        "t/_delta_log/d.ndjson",
        "t/.hidden/e.ndjson",
        "t/x/_f.ndjson",
        "t/x/.g.ndjson",
    ] {
        row(&folder, name);
    }
    for pattern in ["t/**/*.ndjson", "./t/**/*.ndjson", "**/*.ndjson", "t/**/?.ndjson"] {
        assert_eq!(read(&store, &folder, pattern), ["t/a.ndjson", "t/x/b.ndjson"], "{pattern}");
    }
    assert_eq!(read(&store, &folder, "t/*/*.ndjson"), ["t/x/b.ndjson"]);
}

#[test]
fn a_pattern_that_asks_for_hidden_names_gets_them() {
    let (store, folder) = (Store::start(), Folder::new());
    for name in ["t/_a/1.ndjson", "t/.b/2.ndjson", "t/c/_3.ndjson"] {
        row(&folder, name);
    }
    assert_eq!(read(&store, &folder, "t/_a/*.ndjson"), ["t/_a/1.ndjson"]);
    assert_eq!(read(&store, &folder, "t/.*/*.ndjson"), ["t/.b/2.ndjson"]);
    assert_eq!(read(&store, &folder, "t/**/_*.ndjson"), ["t/c/_3.ndjson"]);
}

#[test]
fn a_partition_of_a_column_with_an_underscore_holds_rows() {
    let (store, folder) = (Store::start(), Folder::new());
    row(&folder, "t/_day=3/1.ndjson");
    assert_eq!(read(&store, &folder, "t/**/*.ndjson"), ["t/_day=3/1.ndjson"]);
    assert_eq!(read(&store, &folder, "t/*/*.ndjson"), ["t/_day=3/1.ndjson"]);
}

#[test]
fn no_file_is_read_twice_where_links_make_circles() {
    let (store, folder) = (Store::start(), Folder::new());
    row(&folder, "t/a.ndjson");
    row(&folder, "t/x/b.ndjson");
    symlink("..", folder.file("t/x/parent")).unwrap();
    symlink("../..", folder.file("t/x/grandparent")).unwrap();
    symlink("x", folder.file("t/again")).unwrap();
    symlink("a.ndjson", folder.file("t/link.ndjson")).unwrap();
    for pattern in ["t/**/*.ndjson", "t/*/../*/*.ndjson"] {
        let mut read = read(&store, &folder, pattern);
        read.retain(|name| name.starts_with("t/x/"));
        assert_eq!(read, ["t/x/b.ndjson"], "{pattern}");
    }
    assert_eq!(read(&store, &folder, "t/**/*.ndjson"), ["t/a.ndjson", "t/x/b.ndjson"]);
    assert_eq!(read(&store, &folder, "t/*.ndjson"), ["t/a.ndjson"]);
}

#[test]
fn files_behind_a_link_are_read_where_no_other_way_leads_there() {
    let (store, folder) = (Store::start(), Folder::new());
    row(&folder, "elsewhere/a.ndjson");
    fs::create_dir(folder.file("t")).unwrap();
    symlink("../elsewhere", folder.file("t/day=1")).unwrap();
    for pattern in ["t/**/*.ndjson", "t/*/*.ndjson", "t/day=1"] {
        assert_eq!(read(&store, &folder, pattern), ["elsewhere/a.ndjson"], "{pattern}");
    }
}
