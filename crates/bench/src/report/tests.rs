use super::*;

/// A report with fixed numbers, a program without instructions and a command without calls.
fn report() -> Report {
    let machine = Machine {
        date: "2026-11-29".to_owned(),
        poolkeeper: "0.2.0".to_owned(),
        processor: "Example CPU".to_owned(),
        cores: 2,
        linux: "6.18".to_owned(),
        rust: "rustc 1.95.0".to_owned(),
        node: "v20.20.2".to_owned(),
    };
    let own = Measurement {
        program: "pre-sign-up",
        size: Size { file: 1_250_144, zip: 600_000 },
        instructions: Some(Instructions { start: 409_000, warm: Some(160_000) }),
        allocations: Some(Allocations { blocks: 412, bytes: 98_540 }),
        calls: 1,
        connections: 1,
        start: vec![1.5, 1.0, 2.0],
        first: vec![0.2],
        warm: vec![0.05, 0.04],
        memory_kb: vec![2_500, 2_664],
    };
    let peer = Measurement {
        program: "Node.js",
        size: Size { file: 1_500, zip: 700 },
        start: vec![40.0, 37.0],
        first: vec![5.0],
        warm: vec![0.4],
        memory_kb: vec![50_000],
        ..Measurement::default()
    };
    let command = Measurement { program: "poolkeeper", start: vec![0.8], ..Measurement::default() };
    let rows = vec![
        RowReport { name: "sign-up", charted: true, programs: vec![own, peer] },
        RowReport { name: "poolkeeper --version", charted: true, programs: vec![command] },
    ];
    let load = || "0.50".to_owned();
    let growth = Growth { row: "sign-up", program: "pre-sign-up", memory_kb: (2_664, 2_656), connections: (0, 1) };
    let walk = |operation, most_pages| Walk {
        operation,
        users: 10_000,
        requests: 167,
        calls: 168,
        most_pages,
        memory_kb: (11_000, 11_016),
    };
    let walks = vec![walk("list", 1), walk("search without matches", 10)];
    let run = Run { machine, samples: 3, warm_calls: 2, load_before: load(), load_after: load() };
    Report { run, rows, growth: vec![growth], walks }
}

#[test]
fn page_shows_ratios_and_dashes_for_missing_values() {
    insta::assert_snapshot!(page::of(&report()));
}

#[test]
fn chart_has_one_bar_for_each_program_with_a_start() {
    let mut report = report();
    report.rows[0].charted = false;
    report.rows[1].programs.push(Measurement { program: "not started", ..Measurement::default() });
    insta::assert_snapshot!(chart::of(&report.rows));
}

#[test]
fn raw_numbers_are_json_with_every_sample() {
    let parsed: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
    assert_eq!(parsed["run"]["processor"], "Example CPU");
    assert_eq!(parsed["programs"].as_array().unwrap().len(), 3);
    assert_eq!(parsed["growth"][0]["connections"], serde_json::json!([0, 1]));
    assert_eq!(parsed["walks"][1]["most_pages"], 10);
    let first = &parsed["programs"][0];
    assert_eq!(first["row"], "sign-up");
    assert_eq!(first["start"], serde_json::json!([1.5, 1.0, 2.0]));
    assert_eq!(first["instructions"], serde_json::json!({"start": 409_000, "warm": 160_000}));
    assert_eq!(first["allocations"], serde_json::json!({"blocks": 412, "bytes": 98_540}));
    assert_eq!(parsed["programs"][1]["instructions"], serde_json::Value::Null);
}
