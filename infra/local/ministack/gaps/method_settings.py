"""MethodSettings of AWS::ApiGateway::Stage for one method.

AWS: a slash in ResourcePath is written `~1`, as in `/~1orders~1{orderId}`; the settings hold for that method.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html

MiniStack 1.5.33: stores them under the path as written, and never finds them. It finds those of UpdateStage.

Here: stored like those of UpdateStage.
"""

from ministack.services.cloudformation import provisioners


def apply() -> None:
    """Wrap the reading of the property."""
    read = provisioners._apigw_method_settings
    provisioners._apigw_method_settings = lambda raw: {_decoded(key): settings for key, settings in read(raw).items()}


def _decoded(key: str) -> str:
    path, method = key.rsplit("/", 1)
    # The slash before the first `~1` only begins the JSON pointer.
    return f"{path.removeprefix('/').replace('~1', '/').replace('~0', '~')}/{method}"
