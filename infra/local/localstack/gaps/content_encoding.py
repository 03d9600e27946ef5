"""Bodies with a Content-Encoding.

AWS: a REST API decompresses bodies if minimumCompressionSize is set, and otherwise leaves them as they are.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html

LocalStack 2026.3.0: decompresses every body with Content-Encoding gzip, for REST APIs and AWS's own; answers 500 if it is not gzip.

Here: the bodies of REST APIs stay as they are; no API here has minimumCompressionSize.
"""

from localstack.aws.handlers import codec

_REST_APIS = "/_aws/execute-api/"


def apply() -> None:
    """Wrap the decoding."""
    decode = codec.ContentDecoder.__call__

    def decode_unless_of_an_api(self, chain, context, response):
        if not context.request.path.startswith(_REST_APIS):
            decode(self, chain, context, response)

    codec.ContentDecoder.__call__ = decode_unless_of_an_api
