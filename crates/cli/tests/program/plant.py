"""Plants a fault in the deployment of the test: FAULT USER_POOL_ID IDENTITY_POOL_ID."""

import io
import json
import sys
import zipfile

import boto3

fault, user_pool, identity_pool = sys.argv[1:]
idp, identity = boto3.client("cognito-idp"), boto3.client("cognito-identity")
functions, iam = boto3.client("lambda"), boto3.client("iam")


def pool(**changes):
    idp.update_user_pool(UserPoolId=user_pool, **changes)


def passwords(**changes):
    current = idp.describe_user_pool(UserPoolId=user_pool)["UserPool"]["Policies"]["PasswordPolicy"]
    pool(Policies={"PasswordPolicy": {**current, **changes}})


def web(**changes):
    clients = idp.list_user_pool_clients(UserPoolId=user_pool, MaxResults=60)["UserPoolClients"]
    [client] = [one["ClientId"] for one in clients if one["ClientName"].endswith("-web")]
    current = idp.describe_user_pool_client(UserPoolId=user_pool, ClientId=client)["UserPoolClient"]
    for name in ["CreationDate", "LastModifiedDate", "ClientSecret"]:
        current.pop(name, None)
    if not current["DefaultRedirectURI"]:
        del current["DefaultRedirectURI"]
    change = {name: value(current) if callable(value) else value for name, value in changes.items()}
    idp.update_user_pool_client(**{**current, **change})


def identities(**changes):
    current = identity.describe_identity_pool(IdentityPoolId=identity_pool)
    fields = ["IdentityPoolId", "IdentityPoolName", "AllowUnauthenticatedIdentities", "CognitoIdentityProviders"]
    change = {name: value(current) if callable(value) else value for name, value in changes.items()}
    identity.update_identity_pool(**{**{name: current[name] for name in fields}, **change})


def another_identity_pool(name, **roles):
    provider = identity.describe_identity_pool(IdentityPoolId=identity_pool)["CognitoIdentityProviders"][0]
    another = identity.create_identity_pool(
        IdentityPoolName=name, AllowUnauthenticatedIdentities=False, CognitoIdentityProviders=[{**provider, "ServerSideTokenCheck": True}]
    )
    if roles:
        identity.set_identity_pool_roles(IdentityPoolId=another["IdentityPoolId"], Roles=roles)


def role():
    return identity.get_identity_pool_roles(IdentityPoolId=identity_pool)["Roles"]["authenticated"].split("/")[-1]


def trust(change):
    document = iam.get_role(RoleName=role())["Role"]["AssumeRolePolicyDocument"]
    change(document["Statement"])
    iam.update_assume_role_policy(RoleName=role(), PolicyDocument=json.dumps(document))


def function(name):
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role_arn = iam.create_role(RoleName=f"function-{name}", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", "#!/bin/sh\n")
    settings = {"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": role_arn}
    return functions.create_function(FunctionName=name, Code={"ZipFile": archive.getvalue()}, **settings)["FunctionArn"]


def permit(arn, **conditions):
    functions.add_permission(
        FunctionName=arn, StatementId="cognito", Action="lambda:InvokeFunction", Principal="cognito-idp.amazonaws.com", **conditions
    )


def for_this_pool():
    arn = idp.describe_user_pool(UserPoolId=user_pool)["UserPool"]["Arn"]
    return {"SourceArn": arn, "SourceAccount": arn.split(":")[4]}


def trigger(name, arn):
    current = idp.describe_user_pool(UserPoolId=user_pool)["UserPool"].get("LambdaConfig", {})
    pool(LambdaConfig={**current, name: arn} if arn else {key: value for key, value in current.items() if key != name})


def throttled():
    arn = function("throttled")
    permit(arn, **for_this_pool())
    functions.put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=0)
    trigger("PostConfirmation", arn)


def open_permission():
    arn = function("open")
    permit(arn)
    trigger("PostAuthentication", arn)


def users():
    for number in range(51):
        idp.admin_create_user(UserPoolId=user_pool, Username=f"user-{number}@example.com", MessageAction="SUPPRESS")


def custom_attributes():
    for first in [1, 21]:
        names = [f"attribute-{number}" for number in range(first, first + 20)]
        idp.add_custom_attributes(
            UserPoolId=user_pool, CustomAttributes=[{"Name": name, "AttributeDataType": "String"} for name in names]
        )


aud, amr = "StringEquals", "ForAnyValue:StringLike"
foreign = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "sts:AssumeRole"}
everyone = {**foreign, "Principal": {"AWS": "*"}}
flows = "ExplicitAuthFlows"
FAULTS = {
    # The function that the spec names, before the pool exists, and its permission afterwards.
    "create-function": lambda: print(function("pre-sign-up")),
    "permit-function": lambda: permit("pre-sign-up", **for_this_pool()),
    "own-by-stack": lambda: pool(
        UserPoolTags={
            **idp.describe_user_pool(UserPoolId=user_pool)["UserPool"]["UserPoolTags"],
            "poolkeeper:stack": "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11",
        }
    ),
    "deletion-protection": lambda: pool(DeletionProtection="INACTIVE"),
    "unverified-update": lambda: pool(UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": []}),
    "short-passwords": lambda: passwords(MinimumLength=6),
    "temporary-passwords": lambda: passwords(TemporaryPasswordValidityDays=90),
    "recovery-by-phone": lambda: pool(
        AccountRecoverySetting={
            "RecoveryMechanisms": [{"Priority": 1, "Name": "verified_phone_number"}, {"Priority": 2, "Name": "verified_email"}]
        }
    ),
    "mail-quota": users,
    "trigger-not-permitted": lambda: trigger("PreTokenGeneration", function("closed")),
    "trigger-missing": lambda: trigger("PreAuthentication", "arn:aws:lambda:us-east-1:000000000000:function:missing"),
    "trigger-throttled": throttled,
    "trigger-open-permission": open_permission,
    "sign-up-without-trigger": lambda: trigger("PreSignUp", None),
    "user-existence-errors": lambda: web(PreventUserExistenceErrors="LEGACY"),
    "token-revocation": lambda: web(EnableTokenRevocation=False),
    "password-flow": lambda: web(ExplicitAuthFlows=lambda it: [*it[flows], "ALLOW_USER_PASSWORD_AUTH"]),
    "admin-flow-on-public-client": lambda: web(ExplicitAuthFlows=lambda it: [*it[flows], "ALLOW_ADMIN_USER_PASSWORD_AUTH"]),
    "unrestricted-attributes": lambda: web(WriteAttributes=[]),
    "implicit-grant": lambda: web(
        AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code", "implicit"], AllowedOAuthScopes=["openid"]
    ),
    "insecure-callback": lambda: web(CallbackURLs=["http://localhost:3000"]),
    "long-access-tokens": lambda: web(AccessTokenValidity=1440),
    "long-id-tokens": lambda: web(IdTokenValidity=1440),
    "long-refresh-tokens": lambda: web(RefreshTokenValidity=3650),
    "guests": lambda: identities(AllowUnauthenticatedIdentities=True),
    "classic-flow": lambda: identities(AllowClassicFlow=True),
    "token-check": lambda: identities(
        CognitoIdentityProviders=lambda it: [{**one, "ServerSideTokenCheck": False} for one in it["CognitoIdentityProviders"][:1]]
        + it["CognitoIdentityProviders"][1:]
    ),
    "role-not-set": lambda: another_identity_pool("without-role"),
    "role-missing": lambda: another_identity_pool("with-missing-role", authenticated="arn:aws:iam::000000000000:role/missing"),
    "trust-audience": lambda: trust(lambda statements: statements[0]["Condition"].pop(aud)),
    "trust-method": lambda: trust(lambda statements: statements[0]["Condition"].pop(amr)),
    "trust-open": lambda: trust(lambda statements: statements.append(everyone)),
    "trust-other": lambda: trust(lambda statements: statements.append(foreign)),
    "administrator-role": lambda: iam.attach_role_policy(
        RoleName=role(), PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
    "quota-custom-attributes": custom_attributes,
    "quota-callback-urls": lambda: web(
        CallbackURLs=lambda it: it["CallbackURLs"] + [f"https://shop.example.com/{number}" for number in range(79)]
    ),
}
FAULTS[fault]()
