"""Calls of the tests in user_migration.rs with the account's own credentials. Actions:

old-pool           creates a user pool with users and an app client, and prints their ids
secret NAME VALUE  stores a secret in an SSM parameter
pool ID CLIENT     prints the triggers of a user pool and the flows of an app client
"""

import json
import sys

import boto3

action, *more = sys.argv[1:]
cognito = boto3.client("cognito-idp")
PASSWORD = "Correct-Horse-1"


def create_user(pool, username, permanent, **attributes):
    listed = {"email": f"{username}@example.com", "email_verified": "true", "custom:role": "admin", **attributes}
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=username,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": key, "Value": value} for key, value in listed.items()],
    )
    cognito.admin_set_user_password(UserPoolId=pool, Username=username, Password=PASSWORD, Permanent=permanent)


if action == "old-pool":
    schema = [{"Name": "role", "AttributeDataType": "String"}]
    pool = cognito.create_user_pool(PoolName="old", Schema=schema)["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="migration",
        GenerateSecret=True,
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    create_user(pool, "mia", True, name="Mia")
    create_user(pool, "dan", True)
    cognito.admin_disable_user(UserPoolId=pool, Username="dan")
    create_user(pool, "ned", False)
    print(json.dumps({"pool": pool, "client": client}))
elif action == "secret":
    name, value = more
    boto3.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")
    print("{}")
elif action == "pool":
    pool, client = more
    described = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    flows = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]["ExplicitAuthFlows"]
    triggers = {name: arn for name, arn in described.get("LambdaConfig", {}).items() if arn}
    print(json.dumps({"triggers": triggers, "flows": sorted(flows)}))
else:
    sys.exit(__doc__)
