//! The page of the documentation.

use super::{Report, RowReport, table};
use crate::measure::NATIVE_SAMPLES_PER_TURN;

const INTRODUCTION: &str = "\
# Benchmarks

`make bench` measures Poolkeeper's functions beside programs that do the same job, and writes this
page. [Measurements](measurements.md) shows the effect of each optimization.

![Start of each program, minimum in milliseconds, on a logarithmic scale](benchmarks.svg)
";

const GROWTH: &str = "\
## Growth

The resident memory of one process (`VmRSS`, in MB), and its connections to AWS until call 1,000 and
until call 10,000. The target is a growth of at most 1 MB from 1,000 to 10,000 calls. A write of
`admin-api` sends up to three calls at the same time, each on its own connection.
";

const WALKS: &str = "\
## Walks

A walk requests `GET /v1/users?limit=60` of `admin-api` from the first page to the last, in one
process. The list returns all users of a generated pool. The search has a condition that Cognito
cannot evaluate (`custom_attribute`) and that no user fulfills, so each request reads pages until
its budget of 10 pages of Cognito is used up. Memory is `VmRSS` in MB, after a tenth of the requests
and at the end.

The run fails if a user is missing or returned twice, if a request reads more than 10 pages, if a
walk omits a page, or if it makes more AWS calls than one for each page of 60 users and one for the
key of the cursors.
";

const METHOD: &str = "\
## Method

The harness implements the Lambda Runtime API on loopback and starts release binaries as Lambda
does. One loopback endpoint replaces all AWS services. Both are written in Rust and set
`TCP_NODELAY`. The programs run in turns (A B C A B C …), and each cold sample is a new process. The
first turn is discarded.

| column | meaning |
|---|---|
| start | from the start of the process to its first complete `GET /2018-06-01/runtime/invocation/next` (for a command, to its end), in ms |
| first, warm | from the delivery of the event to the receipt of `POST …/response`, in ms |
| memory | `VmHWM` from `/proc/PID/status` at the end, the highest of all processes, in MB |
| binary, zip | the file, and the file compressed as in a zip archive, in MB |
| instructions | millions of instructions, counted by `valgrind --tool=callgrind`, until the first request for an event and for a warm call |
| allocations | heap blocks and their size in kB (1,000 bytes) that a warm call allocates, counted by `valgrind --tool=dhat` |
| AWS calls | calls to AWS for each warm call |
| start ×, warm ×, memory × | relative to Poolkeeper's program, the first of its table: the ratios of minima and of medians, and for memory of the highest values |

Times are minimum / median / 90th percentile. The machine is shared, so compare only times of this
page, and prefer the ratios. Where the speed of the processor varies, such as on a virtual machine,
ratios of medians are the more stable ones. 1 MB is 1,000,000 bytes. A dash means that a value was
not measured. Instructions and allocations of Node.js are not counted, because its compiler depends
on time.

Each response must have the expected content, otherwise the run fails. `admin-api` also checks the
caller, the target user and their groups before a write, so it makes more calls than its peers. Over
HTTPS, the programs trust only a local certificate authority. A program that otherwise reads the
system's root certificates therefore starts faster in that table. If AWS is 10 ms away, each response
takes 10 ms, so the times show how many calls wait for each other.

| program | description |
|---|---|
| `floor` | a Runtime API loop that uses only Rust's `std`; it confirms every user |
| `bare-pre-sign-up` | `lambda_runtime`, without a policy or logs; it confirms every user |
| `bare-admin-api` | the AWS SDK for Rust with one call for each route, without authorization |
| `bare-authorizer` | the AWS SDK for Rust with one read of the table, without a verification of the token |
| `bare-pool-bootstrap` | the AWS SDK for Rust with the reads of a plan, without a comparison |
| Node.js | a function in a minimal Runtime API loop, which starts faster than Lambda's own |
| Node.js, plain handler | the AWS SDK v3 with one call for each route, bundled and minified |
| `verify-token` | Poolkeeper's library for tokens, 100 times for each event |
| Node.js, aws-jwt-verify | AWS's library for tokens; to authorize a request, it also reads the table with the AWS SDK v3; bundled and minified |
| Node.js, AdminQueries | an equivalent of the function that Amplify generates: express 4, aws-serverless-express and the AWS SDK v3, bundled and minified; it cannot create users |

`make bench QUICK=1` takes fewer samples, counts no instructions and allocations, and writes no
files. The [raw numbers](benchmarks.json) contain every sample. `make guard` compares sizes,
instructions and connections of a build with them.
";

/// Writes the page.
pub(super) fn of(report: &Report) -> String {
    let run = &report.run;
    let machine = &run.machine;
    let section =
        |row: &RowReport| format!("## {}\n\n{}\n\n", heading(row.name), table::of(row, table::Style::Markdown));
    let tables = report.rows.iter().map(section).collect::<Vec<_>>().concat();
    let circumstances = [
        ("Poolkeeper", machine.poolkeeper.clone()),
        ("date", machine.date.clone()),
        ("processor", format!("{} × {}", machine.cores, machine.processor)),
        ("Linux", machine.linux.clone()),
        ("Rust", machine.rust.clone()),
        ("Node.js", machine.node.clone()),
        ("cold samples of each Node.js program", run.samples.to_string()),
        ("cold samples of each other program", (run.samples * NATIVE_SAMPLES_PER_TURN).to_string()),
        ("warm calls of each cold sample", run.warm_calls.to_string()),
        ("load before and after", format!("{}, {}", run.load_before, run.load_after)),
    ];
    let circumstances = circumstances.map(|(name, value)| format!("| {name} | {value} |\n")).concat();
    let growth = table::of_growth(&report.growth, table::Style::Markdown);
    let walks = table::of_walks(&report.walks, table::Style::Markdown);
    format!(
        "{INTRODUCTION}\n{tables}{GROWTH}\n{growth}\n\n{WALKS}\n{walks}\n\n{METHOD}\n\
         ## Machine\n\n| | |\n|---|---|\n{circumstances}"
    )
}

fn heading(name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    // The name of a command is written as it is.
    if name.contains("--") { format!("`{name}`") } else { format!("{}{rest}", first.to_uppercase()) }
}
