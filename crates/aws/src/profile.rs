//! A connection from a person's machine, an EC2 instance or a pipeline: region, profile and credentials as every AWS tool takes
//! them, and a clear word where one of them is missing.

use std::error::Error;

use aws_config::Region;
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use thiserror::Error;

use crate::Aws;

/// What is missing for a connection, and how to set it. Nothing was sent to the services that are provisioned.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// Nobody says which region.
    #[error("no AWS region: pass --region, set AWS_REGION, or set `region` in the profile (`aws configure`)")]
    NoRegion,
    /// Nothing that could give credentials is set up.
    #[error(
        "no AWS credentials: pass --profile or set AWS_PROFILE, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         or sign in with `aws sso login` or `aws login`"
    )]
    NoCredentials,
    /// The profile that was asked for is not there, or holds none.
    #[error("no AWS credentials in the profile `{0}`: is it in ~/.aws/config or ~/.aws/credentials?")]
    NoCredentialsInProfile(String),
    /// They are set up, but do not come.
    #[error(
        "the AWS credentials that are set up cannot be had (where a session has ended, sign in again with `aws sso login` or \
         `aws login`)"
    )]
    CredentialsFailed(#[source] Box<dyn Error + Send + Sync>),
}

impl Aws {
    /// Connects as every AWS tool does. The region is looked for in `region`, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile and
    /// the instance's metadata; credentials in the environment, the profile (keys, roles, SSO, `aws login`, processes), web
    /// identity, and the metadata of ECS and EC2. A profile that is named here wins over keys in the environment.
    ///
    /// Credentials are looked up once right away, so that their absence shows before anything is touched.
    ///
    /// # Errors
    ///
    /// What is missing, and how to set it.
    pub async fn from_profile(profile: Option<&str>, region: Option<&str>) -> Result<Self, ProfileError> {
        let region = match region {
            Some(region) => Region::new(region.to_owned()),
            None => region_of(profile).await.ok_or(ProfileError::NoRegion)?,
        };
        let mut loader = Self::defaults().region(region.clone());
        if let Some(profile) = profile {
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&ProviderConfig::without_region().with_region(Some(region)))
                .profile_name(profile)
                .build();
            loader = loader.profile_name(profile).credentials_provider(provider);
        }
        let config = loader.load().await;
        let provider = config.credentials_provider().ok_or(ProfileError::NoCredentials)?;
        match (provider.provide_credentials().await, profile) {
            (Ok(_), _) => Ok(Self { config }),
            (Err(CredentialsError::CredentialsNotLoaded(_)), None) => Err(ProfileError::NoCredentials),
            (Err(CredentialsError::CredentialsNotLoaded(_)), Some(profile)) => {
                Err(ProfileError::NoCredentialsInProfile(profile.to_owned()))
            }
            (Err(error), _) => Err(ProfileError::CredentialsFailed(error.into())),
        }
    }
}

async fn region_of(profile: Option<&str>) -> Option<Region> {
    let chain = DefaultRegionChain::builder();
    let chain = match profile {
        Some(profile) => chain.profile_name(profile),
        None => chain,
    };
    // An empty AWS_REGION, as pipelines leave behind, is none.
    chain.build().region().await.filter(|region| !region.as_ref().is_empty())
}
