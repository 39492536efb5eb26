"""Runs ministack and writes every call that the AWS SDK for Rust makes to a file, as one JSON object per line.

The first argument is the file. The second is `all` or `distinct`. With `distinct`, calls that differ only in numbers and generated names
are written once.

service, operation  as in AWS's service models
principal           the ARN of the caller; null for calls without a signature
parameters          the request; the parameters of IAM and STS as a flat object of strings
tags                the tags of the pool that the request names, before the call; null for other resources
"""

import json
import re
import sys
from urllib.parse import parse_qsl

import ministack.app as ministack
from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential
from ministack.core.router import extract_access_key_id

file_name, mode = sys.argv[1:]
SERVICES = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSCognitoIdentityService": "cognito-identity",
    "AmazonSSM": "ssm",
    "DynamoDB_20120810": "dynamodb",
    "AWSStepFunctions": "states",
}
OBJECT_OPERATIONS = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
CREATED = {
    "CreateUserPool": ("UserPool", "Id", "UserPoolTags"),
    "CreateIdentityPool": (None, "IdentityPoolId", "IdentityPoolTags"),
}

tags_of = {}
written = set()
answer_request = ministack.app
log = open(file_name, "a", encoding="utf-8")


def object_call(request):
    """The call of S3's protocol: the path names bucket and key."""
    bucket, _, key = request["path"].lstrip("/").partition("/")
    if key:
        return {"operation": OBJECT_OPERATIONS[request["method"]], "parameters": {"Bucket": bucket, "Key": key}}
    return {"operation": "ListObjectsV2", "parameters": {"Bucket": bucket}}


def call_in(request, headers, body):
    """The call that a request makes, or None."""
    if "aws-sdk-rust" not in headers.get("user-agent", ""):
        return None
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", headers.get("authorization", ""))
    if scope and scope[1] == "s3":
        return {"service": "s3", **object_call(request)}
    if request["path"] != "/":
        return None
    if target := headers.get("x-amz-target"):
        prefix, _, operation = target.partition(".")
        service, parameters = SERVICES.get(prefix), json.loads(body)
    else:
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        operation, service = parameters.pop("Action", None), scope and scope[1]
        parameters.pop("Version", None)
    return service and operation and {"service": service, "operation": operation, "parameters": parameters}


def principal_of(headers):
    credential = resolve_credential(extract_access_key_id(headers, {}))
    return None if isinstance(credential, CredentialResolutionError) else credential.principal_arn


def pool_in(parameters):
    named = parameters.get("UserPoolId") or parameters.get("IdentityPoolId") or parameters.get("ResourceArn", "")
    return named.rpartition("/")[2]


def note_created(call, answer):
    inside, id_member, tags_member = CREATED[call["operation"]]
    pool = json.loads(answer)
    pool = pool.get(inside, {}) if inside else pool
    if id_member in pool:
        tags_of[pool[id_member]] = call["parameters"].get(tags_member, {})


def note_tags(operation, parameters):
    tags = tags_of.setdefault(pool_in(parameters), {})
    if operation == "TagResource":
        tags.update(parameters.get("Tags", {}))
    for key in parameters.get("TagKeys", []) if operation == "UntagResource" else []:
        tags.pop(key, None)


def without_names(value):
    if isinstance(value, str):
        return re.sub(r"[\w+=-]*\d[\w+=-]*", "#", value)
    if isinstance(value, dict):
        return {key: without_names(member) for key, member in value.items()}
    return [without_names(member) for member in value] if isinstance(value, list) else value


def write(call):
    if mode == "distinct":
        distinct = json.dumps(without_names(call), sort_keys=True)
        if distinct in written:
            return
        written.add(distinct)
    log.write(json.dumps(call) + "\n")
    log.flush()


def take(request, headers, body, answer):
    if call := call_in(request, headers, body):
        call["principal"] = principal_of(headers) if "authorization" in headers else None
        call["tags"] = dict(tags_of[pool]) if (pool := pool_in(call["parameters"])) in tags_of else None
        if call["operation"] in CREATED:
            note_created(call, answer)
        if call["operation"] in ("TagResource", "UntagResource"):
            note_tags(call["operation"], call["parameters"])
        write(call)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return await answer_request(scope, receive, send)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    body, answer = bytearray(), bytearray()

    async def receive_and_keep():
        message = await receive()
        body.extend(message.get("body", b""))
        return message

    async def send_and_keep(message):
        answer.extend(message.get("body", b""))
        # Records the call before the client receives the response and sends the next call.
        if message["type"] == "http.response.body" and not message.get("more_body"):
            take(scope, headers, bytes(body), bytes(answer))
        await send(message)

    await answer_request(scope, receive_and_keep, send_and_keep)


ministack.app = app
sys.argv = ["ministack"]
ministack.main()
