//! What `Ref` and `Fn::GetAtt` return. Source: AWS CloudFormation Template Reference, "Return values" of each type.

/// A stack's place.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// As in ARNs.
    pub partition: &'static str,
    /// The region.
    pub region: &'static str,
    /// The account's id.
    pub account: &'static str,
    /// End of host names.
    pub url_suffix: &'static str,
}

pub(super) const STACK: &str = "twolane";

impl Place {
    /// A typical region.
    pub const IRELAND: Self =
        Self { partition: "aws", region: "eu-west-1", account: "111122223333", url_suffix: "amazonaws.com" };
    /// `CloudFront` takes certificates from this region.
    pub const VIRGINIA: Self = Self { region: "us-east-1", ..Self::IRELAND };
    /// A partition with other ARNs and host names.
    pub const BEIJING: Self =
        Self { partition: "aws-cn", region: "cn-north-1", account: "444455556666", url_suffix: "amazonaws.com.cn" };
    /// The local cloud.
    pub const LOCAL: Self =
        Self { partition: "aws", region: "us-east-1", account: "000000000000", url_suffix: "amazonaws.com" };

    /// A service's ARN of `resource` here.
    #[must_use]
    pub fn arn(self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    fn pseudo_parameter(self, name: &str) -> Option<String> {
        if name == "StackId" {
            return Some(self.arn("cloudformation", &format!("stack/{STACK}/1c2fa620-982a-11e3-aff7-50e2416294e0")));
        }
        let value = match name {
            "AccountId" => self.account,
            "Partition" => self.partition,
            "Region" => self.region,
            "StackName" => STACK,
            "URLSuffix" => self.url_suffix,
            _ => return None,
        };
        Some(value.to_owned())
    }

    /// For `AWS::…`.
    pub(super) fn pseudo(self, name: &str) -> Option<String> {
        self.pseudo_parameter(name.strip_prefix("AWS::")?)
    }

    /// For a resource without a `Name` property.
    pub(super) fn reference(self, kind: &str, id: &str) -> Option<String> {
        let name = name(id);
        let reference = match kind {
            "AWS::ApiGateway::Account"
            | "AWS::ApiGateway::Deployment"
            | "AWS::ApiGateway::RestApi"
            | "AWS::ApiGatewayV2::Api"
            | "AWS::ApiGatewayV2::Authorizer"
            | "AWS::ApiGatewayV2::Integration"
            | "AWS::ApiGatewayV2::Route"
            | "AWS::CloudFront::Distribution"
            | "AWS::CloudFront::ResponseHeadersPolicy"
            | "AWS::Cognito::UserPoolClient" => id.to_lowercase(),
            "AWS::CertificateManager::Certificate" => self.arn("acm", &format!("certificate/{}", id.to_lowercase())),
            // The prefix that was given.
            "AWS::Cognito::UserPoolDomain" => format!("twolane-{}", id.to_lowercase()),
            "AWS::S3::Bucket" => name.to_lowercase(),
            "AWS::Cognito::UserPool" => format!("{}_{id}", self.region),
            "AWS::SQS::Queue" => {
                format!("https://sqs.{}.{}/{}/{name}", self.region, self.url_suffix, self.account)
            }
            "AWS::SNS::Topic" => self.arn("sns", &name),
            "AWS::CloudWatch::Alarm"
            | "AWS::DynamoDB::Table"
            | "AWS::IAM::Role"
            | "AWS::Lambda::Function"
            | "AWS::Logs::LogGroup" => name,
            _ => return None,
        };
        Some(reference)
    }

    pub(super) fn attribute(self, kind: &str, id: &str, attribute: &str) -> Option<String> {
        let name = name(id);
        let value = match (kind, attribute) {
            ("AWS::Cognito::UserPool", "ProviderURL") => {
                format!("https://cognito-idp.{}.{}/{}_{id}", self.region, self.url_suffix, self.region)
            }
            ("AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName", "RegionalDomainName") => {
                format!("d-{}.execute-api.{}.{}", id.to_lowercase(), self.region, self.url_suffix)
            }
            ("AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName", "RegionalHostedZoneId") => {
                format!("Z{}", id.to_uppercase())
            }
            ("AWS::CloudFront::Distribution", "DomainName") => "d111111abcdef8.cloudfront.net".to_owned(),
            ("AWS::CloudFront::OriginAccessControl", "Id") => id.to_lowercase(),
            ("AWS::S3::Bucket", "Arn") => format!("arn:{}:s3:::{}", self.partition, name.to_lowercase()),
            ("AWS::S3::Bucket", "RegionalDomainName") => {
                format!("{}.s3.{}.{}", name.to_lowercase(), self.region, self.url_suffix)
            }
            ("AWS::CloudWatch::Alarm", "Arn") => self.arn("cloudwatch", &format!("alarm:{name}")),
            ("AWS::DynamoDB::Table", "Arn") => self.arn("dynamodb", &format!("table/{name}")),
            ("AWS::IAM::Role", "Arn") => format!("arn:{}:iam::{}:role/{name}", self.partition, self.account),
            ("AWS::Lambda::Function", "Arn") => self.arn("lambda", &format!("function:{name}")),
            ("AWS::Logs::LogGroup", "Arn") => self.arn("logs", &format!("log-group:{name}:*")),
            ("AWS::SNS::Topic", "TopicName") | ("AWS::SQS::Queue", "QueueName") => name,
            ("AWS::SNS::Topic", "TopicArn") => self.arn("sns", &name),
            ("AWS::SQS::Queue", "Arn") => self.arn("sqs", &name),
            ("AWS::WAFv2::WebACL", "Arn") => self.arn("wafv2", &format!("regional/webacl/{name}/{name}")),
            _ => return None,
        };
        Some(value)
    }
}

fn name(id: &str) -> String {
    format!("{STACK}-{id}-1B5PK6OZ8JV2Q")
}
