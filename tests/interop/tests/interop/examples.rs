//! The examples for other hosts: runs their READMEs, line by line.

use beamlet_interop::{Example, KEY, Store, rows};

#[test]
fn node_does_what_the_readme_says() {
    does_what_its_readme_says("node");
}

#[test]
fn python_does_what_the_readme_says() {
    does_what_its_readme_says("python");
}

/// Its lines enrich rows, typed and as JSON, as a join by hand does, and its errors read as it says.
fn does_what_its_readme_says(example: &str) {
    let store = Store::default();
    // In the place of the store that the README has its reader start.
    let mut example = Example::copy(example);
    example.set("TECTON_URL", store.url());
    example.set("TECTON_API_KEY", KEY);

    let lines = example.lines();
    let is_run = |line: &&String| line.contains("< flights.ndjson");
    let expected = example.expected();
    for line in &lines {
        let ended = example.run(line);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{line}");
        if is_run(&line) {
            let enriched = rows(&ended.stdout);
            assert_eq!(enriched, expected, "{line}");
            // Own fields first, in their order.
            let row = enriched[0].as_object().expect("a row is an object");
            let first: Vec<_> = row.keys().take(4).collect();
            assert_eq!(first, ["flight", "tailnum", "origin", "planes.year"], "{line}");
        }
    }
    let runs: Vec<&String> = lines.iter().filter(is_run).collect();
    assert_eq!(runs.len(), 2, "typed and JSON: {lines:?}");

    let [problem, down] = &example.blocks("text")[..] else { panic!("the README has two errors") };
    example.set("TECTON_URL", "http://127.0.0.1:1");
    for line in &runs {
        let ended = example.run(line);
        assert_eq!(
            (ended.code, ended.stdout.as_str(), &ended.stderr),
            (Some(1), "", down),
            "{line}"
        );
    }
    example.edit("config.json", "\"planes_features\",", "\"planes_features\"");
    example.edit("config.json", "\"entity_id\": \"tailnum\"", "");
    for line in &runs {
        let ended = example.run(line);
        assert_eq!(
            (ended.code, ended.stdout.as_str(), &ended.stderr),
            (Some(1), "", problem),
            "{line}"
        );
    }
}
