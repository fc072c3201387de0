//! The example for Node: what its README says, line by line.

use beamlet_homes::{Example, KEY, Store, rows};

#[test]
fn the_lines_of_the_readme_enrich_rows_and_its_errors_read_as_it_says() {
    let store = Store::default();
    // In the place of the store that the README has its reader start.
    let mut example = Example::copy("node");
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
            let first: Vec<_> = enriched[0].as_object().unwrap().keys().take(4).collect();
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
