"""Compares the metrics that a stack's functions wrote with the stack's alarms and dashboard.

check.py STACK TEMPLATE < records

The emulator stores alarms and dashboards, but extracts no metrics from logs and publishes none itself. This script does
both: it extracts metrics as CloudWatch does, and adds the records of the metrics that AWS publishes, from standard input:
a list of [namespace, name, {dimension: value}, [value, …]]. The value of a dimension can be the logical id of a resource, for
its physical id. Then each alarm is evaluated. An alarm with metric math is read from the template, because the emulator does
not support it.
"""

import json
import os
import re
import sys
from pathlib import Path

import boto3
import jsonschema
import yaml

SCHEMA = json.loads((Path(__file__).parent / "emf.schema.json").read_text(encoding="utf-8"))
DOCS = Path(__file__).resolve().parents[4] / "docs/operations"
# The metrics that AWS publishes, of those that the template uses.
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
PUBLISHED = {
    "AWS/Lambda": ({"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}, {"FunctionName"}),
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    "AWS/States": ({"ExecutionsFailed"}, {"StateMachineArn"}),
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html
    "AWS/Scheduler": ({"TargetErrorCount"}, {"ScheduleGroup"}),
    "AWS/ApiGateway": ({"Count", "4xx", "5xx", "Latency", "IntegrationLatency"}, {"ApiId"}),
}
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
STATISTICS = {"Sum": sum, "Maximum": max}
SEARCH = re.compile(
    r"SEARCH\('\{(?P<namespace>[^,]+),(?P<dimensions>[^}]+)\} MetricName=\"(?P<name>\w+)\" stack=\"(?P<stack>[^\"]+)\"', 'Sum'\)"
)


def identity(namespace, name, dimensions):
    return namespace, name, frozenset(dimensions.items())


def log_lines(stack):
    logs = boto3.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{stack}-")["logGroups"]:
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            yield from (event["message"] for event in page["events"])


def extract(lines, stack):
    """The values of each metric in log lines."""
    metrics = {}
    for line in lines:
        if '"_aws"' not in line:
            continue
        record = json.loads(line)
        jsonschema.validate(record, SCHEMA)
        assert record["stack"] == stack, record
        for directive in record["_aws"]["CloudWatchMetrics"]:
            for definition in directive["Metrics"]:
                value = record[definition["Name"]]
                assert isinstance(value, (int, float)), record
                for names in directive["Dimensions"]:
                    dimensions = {name: record[name] for name in names}
                    expect_constants(dimensions)
                    metric = identity(directive["Namespace"], definition["Name"], dimensions)
                    metrics.setdefault(metric, []).append(value)
    return metrics


def expect_constants(dimensions):
    """Fails if a value could be input of a request, which the documentation does not list."""
    documented = "".join((DOCS / page).read_text(encoding="utf-8") for page in ("alarms.md", "quotas.md"))
    for name, value in dimensions.items():
        assert name == "stack" or f"`{value}`" in documented, f"{name}={value} is not documented"


class TemplateLoader(yaml.SafeLoader):
    """Reads a template; !Ref X becomes `X`, and other intrinsic functions become None."""


TemplateLoader.add_multi_constructor("!", lambda loader, suffix, node: node.value if suffix == "Ref" else None)


def check_math_alarm(template, emitted):
    """Checks the only alarm with metric math: errors of the trigger that are not rejected sign-ups."""
    resources = yaml.load(Path(template).read_text(encoding="utf-8"), TemplateLoader)["Resources"]
    alarms = {name: resource["Properties"] for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})}
    ((name, alarm),) = alarms.items()
    expression, *inputs = alarm["Metrics"]
    metrics = {metric["Id"]: metric["MetricStat"]["Metric"] for metric in inputs}
    assert metrics["errors"]["Namespace"] == "AWS/Lambda" and metrics["errors"]["MetricName"] == "Errors", metrics
    rejected = metrics["rejected"]
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in rejected["Dimensions"]}
    assert dimensions.pop("stack") == "AWS::StackName"
    known = {(metric[:2], metric[2] - {pair for pair in metric[2] if pair[0] == "stack"}) for metric in emitted}
    assert ((rejected["Namespace"], rejected["MetricName"]), frozenset(dimensions.items())) in known, rejected
    assert {metric["MetricStat"]["Period"] for metric in inputs} == {900} and alarm["EvaluationPeriods"] == 1, alarm
    for errors, rejected, is_raised in [(4, 2, True), (2, None, True), (3, 2, False), (2, 2, False)]:
        fill = lambda value, default: default if value is None else value  # noqa: E731
        value = eval(expression["Expression"], {"errors": errors, "rejected": rejected, "FILL": fill})  # noqa: S307
        assert COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"]) == is_raised, (errors, rejected)
    assert alarm["TreatMissingData"] == "notBreaching"
    return name


def described_alarms():
    return boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]


def metric_of(alarm):
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    return identity(alarm["Namespace"], alarm["MetricName"], dimensions)


def is_raised(alarm, values):
    """Whether the alarm is raised if all values are in the same period."""
    if not values:
        return alarm["TreatMissingData"] == "breaching"
    return COMPARISONS[alarm["ComparisonOperator"]](STATISTICS[alarm["Statistic"]](values), alarm["Threshold"])


def dashboard_metrics(stack, emitted):
    """The metrics of the dashboard. A search finds those of the emitted metrics that have exactly its dimensions."""
    name = f"{stack}-{os.environ['AWS_REGION']}"
    body = json.loads(boto3.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    for widget in body["widgets"]:
        for line in widget["properties"]["metrics"]:
            if not isinstance(line[0], dict):
                parts = [part for part in line if isinstance(part, str)]
                yield identity(parts[0], parts[1], dict(zip(parts[2::2], parts[3::2], strict=True)))
                continue
            search = SEARCH.fullmatch(line[0]["expression"])
            assert search and search["stack"] == stack, line
            dimensions = set(search["dimensions"].split(","))
            found = [
                metric
                for metric in emitted
                if metric[:2] == (search["namespace"], search["name"]) and {name for name, _ in metric[2]} == dimensions
            ]
            assert found, f"the search {line[0]['expression']} finds no metric"
            yield from found


def physical_ids(stack):
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


def main(stack, template):
    emitted = extract(log_lines(stack), stack)
    published, ids = {}, physical_ids(stack)
    for namespace, name, dimensions, values in json.load(sys.stdin):
        names, keys = PUBLISHED[namespace]
        dimensions = {key: ids.get(value, value) for key, value in dimensions.items()}
        assert name in names and set(dimensions) == keys, (namespace, name, dimensions)
        published[identity(namespace, name, dimensions)] = values
    alarms = described_alarms()
    shown = set(dashboard_metrics(stack, emitted))
    watched = {metric_of(alarm) for alarm in alarms}

    unwatched = {metric for metric in emitted if metric not in watched | shown}
    assert not unwatched, f"no alarm and no dashboard line for {unwatched}"
    unknown = {metric for metric in watched | shown if metric not in emitted and metric not in published}
    assert not unknown, f"no metric for {unknown}"

    for alarm in alarms:
        name = alarm["AlarmName"]
        assert alarm["AlarmActions"] and alarm["OKActions"] == alarm["AlarmActions"], name
        values = {**emitted, **published}[metric_of(alarm)]
        is_silence = alarm["TreatMissingData"] == "breaching"
        assert is_raised(alarm, values) != is_silence, f"{name} with {values}"
        assert is_raised(alarm, []) == is_silence, f"{name} without data"
    topics = {topic for alarm in alarms for topic in alarm["AlarmActions"]}
    subscriptions = boto3.client("sns").list_subscriptions()["Subscriptions"]
    receivers = {(sub["TopicArn"], sub["Protocol"], sub["Endpoint"]) for sub in subscriptions}
    assert receivers == {(topic, "email", "ops@example.com") for topic in topics} and len(topics) == 1, receivers
    names = [re.sub(rf"^{stack}-(\w+)-\w+$", r"\1", alarm["AlarmName"]) for alarm in alarms]
    names.append(check_math_alarm(template, emitted))
    print(json.dumps({"alarms": names, "metrics": sorted({name for _, name, _ in emitted})}))


main(*sys.argv[1:])
