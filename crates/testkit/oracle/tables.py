"""Facts that AWS does not publish in machine-readable form, with sources, and limits of recorded calls, with reasons.

`source` names a resource type and a handler of the CloudFormation registry, or a page. The registry contains the permissions of each
handler; a test compares each row with the copy in cfn-lint.
"""

# The recordings: the pool, and the role for calls with the account's own credentials. Without a pool, the calls are those of deployed
# functions, and each stack has the name of its pool.
RECORDINGS = {
    "end_to_end": {"pool": None, "root": None},
    # Provisioning as in the bootstrap, but without Lambda.
    "crash_matrix": {"pool": "case", "root": "PoolBootstrapRole"},
}

# The service model requires client secrets of letters and digits. Secrets of the emulator contain other Base64 characters.
CLIENT_SECRET = "1example23456789abcdefghijklmnopqrstuvwxyz1234567890"

# Calls that need no permission.
NO_RIGHT = {
    "sts:GetCallerIdentity": "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html: no permissions are required",
}

# Calls that create a resource, or that concern all resources.
ACCOUNT_WIDE = {
    "cognito-idp:CreateUserPool",
    "cognito-idp:GetProvisionedLimit",
    "cognito-idp:ListUserPools",
    "cognito-identity:CreateIdentityPool",
    "cognito-identity:ListIdentityPools",
}

# The member of a request that identifies the resource, and the resource part of its ARN. The first member in the request applies.
RESOURCES = {
    "cognito-idp": {"ResourceArn": ("cognito-idp", "{}"), "UserPoolId": ("cognito-idp", "userpool/{}")},
    "cognito-identity": {
        "ResourceArn": ("cognito-identity", "{}"),
        "IdentityPoolId": ("cognito-identity", "identitypool/{}"),
        # Identities have no ARN.
        "IdentityIdsToDelete": ("cognito-identity", "*"),
    },
    "iam": {"RoleName": ("iam", "role/{}"), "PolicyArn": ("iam", "{}"), "PolicyName": ("iam", "policy/{}")},
    "dynamodb": {"RequestItems": ("dynamodb", "table/{}"), "TableName": ("dynamodb", "table/{}")},
    "ssm": {"Name": ("ssm", "parameter/{}"), "ResourceId": ("ssm", "parameter/{}")},
    "logs": {"logGroupName": ("logs", "log-group:/{}:log-stream:{logStreamName}")},
    # Buckets have ARNs without Region and account; see Call.
    "s3": {"Bucket": ("s3", "{}")},
    # The members contain ARNs.
    "lambda": {"FunctionName": ("lambda", "function:{}")},
    "states": {
        "stateMachineArn": ("states", "stateMachine:{}"),
        "executionArn": ("states", "execution:{}"),
    },
}

# Calls whose permission has another name.
ACTIONS = {
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    "s3:HeadObject": "s3:GetObject",
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    "s3:ListObjectsV2": "s3:ListBucket",
    # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    "lambda:Invoke": "lambda:InvokeFunction",
}

# Calls that need more permissions if they have tags.
TAGGING = {
    "cognito-idp:CreateUserPool": {
        "rights": ["cognito-idp:TagResource"],
        "source": ("AWS::Cognito::UserPool", "create"),
    },
    "cognito-idp:UpdateUserPool": {
        "rights": ["cognito-idp:TagResource", "cognito-idp:UntagResource"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    "cognito-identity:CreateIdentityPool": {
        "rights": ["cognito-identity:TagResource"],
        "source": ("AWS::Cognito::IdentityPool", "create"),
    },
    "cognito-identity:UpdateIdentityPool": {
        "rights": ["cognito-identity:TagResource", "cognito-identity:UntagResource"],
        "source": ("AWS::Cognito::IdentityPool", "update"),
    },
    "iam:CreatePolicy": {
        "rights": ["iam:TagPolicy"],
        "source": "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags_customer-managed-policies.html",
    },
    "iam:CreateRole": {"rights": ["iam:TagRole"], "source": ("AWS::IAM::Role", "create")},
    "ssm:PutParameter": {"rights": ["ssm:AddTagsToResource"], "source": ("AWS::SSM::Parameter", "create")},
}

# The ARN of the resource that a call creates, for the permissions in TAGGING.
CREATED = {
    "cognito-idp:CreateUserPool": "arn:{partition}:cognito-idp:{region}:{account}:userpool/{region}_Created01",
    "cognito-identity:CreateIdentityPool": (
        "arn:{partition}:cognito-identity:{region}:{account}:identitypool/{region}:11111111-1111-4111-8111-111111111111"
    ),
}

# Calls that pass a role to a service, which needs iam:PassRole: the members that name roles, and the services that receive them. AWS
# does not document whether requests contain iam:PassedToService, nor which service it is for the role of a group.
PASS_ROLE = {
    "cognito-identity:SetIdentityPoolRoles": {
        "members": ["Roles.*", "RoleMappings.*.RulesConfiguration.Rules.*.RoleARN"],
        "services": ["cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::IdentityPoolRoleAttachment", "create"),
    },
    "cognito-idp:CreateUserPool": {
        "members": ["SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "create"),
    },
    "cognito-idp:UpdateUserPool": {
        "members": ["SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    # The registry's handler of pools also makes this call, with the same SMS role.
    "cognito-idp:SetUserPoolMfaConfig": {
        "members": ["SmsMfaConfiguration.SmsConfiguration.SnsCallerArn"],
        "services": ["cognito-idp.amazonaws.com"],
        "source": ("AWS::Cognito::UserPool", "update"),
    },
    "cognito-idp:CreateGroup": {
        "members": ["RoleArn"],
        "services": ["cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::UserPoolGroup", "create"),
    },
    "cognito-idp:UpdateGroup": {
        "members": ["RoleArn"],
        "services": ["cognito-idp.amazonaws.com", "cognito-identity.amazonaws.com"],
        "source": ("AWS::Cognito::UserPoolGroup", "update"),
    },
}

# Calls on resources outside the deployment that no policy can deny: (role, action, what is outside): reason.
NOT_LIMITABLE = {
    ("JobsWorkerRole", "cognito-idp:GetProvisionedLimit", "anything"): "Quotas belong to the account.",
    ("JobsExporterRole", "cognito-idp:GetProvisionedLimit", "anything"): "Quotas belong to the account.",
    ("JobsExporterRole", "cognito-identity:ListIdentityPools", "anything"): "Lists have no resource.",
    ("PoolBootstrapRole", "cognito-idp:ListUserPools", "anything"): "Lists have no resource.",
    ("PoolBootstrapRole", "cognito-identity:ListIdentityPools", "anything"): "Lists have no resource.",
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-idp:DescribeUserPool", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-idp:DescribeUserPool", "an untagged pool"),
            ("PoolBootstrapRole", "cognito-identity:DescribeIdentityPool", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-identity:DescribeIdentityPool", "an untagged pool"),
            ("JobsExporterRole", "cognito-identity:DescribeIdentityPool", "a foreign resource"),
            ("JobsExporterRole", "cognito-identity:DescribeIdentityPool", "an untagged pool"),
        ],
        "Reads the tags that identify the stack's pools. With a condition on the tag, every other pool would be an error.",
    ),
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-identity:SetIdentityPoolRoles", "a foreign resource"),
            ("PoolBootstrapRole", "cognito-identity:SetIdentityPoolRoles", "an untagged pool"),
        ],
        "Has no resource and no condition key. iam:PassRole limits the roles of a pool.",
    ),
    ("PoolBootstrapRole", "cognito-identity:DeleteIdentities", "a foreign resource"): (
        "Has no resource. Its condition key is the ARN of the identity pool, whose id is unknown when the role is created."
    ),
    **dict.fromkeys(
        [
            ("PoolBootstrapRole", "cognito-idp:TagResource", "an untagged pool"),
            ("PoolBootstrapRole", "cognito-identity:TagResource", "an untagged pool"),
        ],
        "Creating a pool with tags needs the permission before the pool has tags, so only the request tags limit it. A principal that can tag can adopt.",
    ),
    ("PoolBootstrapRole", "ssm:PutParameter", "a foreign tag"): "The name of the parameter is the limit.",
}
