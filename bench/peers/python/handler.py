"""The create-order function as a careful team would write it for Python and boto3, for comparison. It has the same
checks, write, log line and responses as the Rust function."""

import base64
import binascii
import hashlib
import json
import os
import re
from datetime import datetime, timezone
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

TABLE = os.environ["ORDERS_TABLE_NAME"]
RETENTION_DAYS = int(os.environ["ORDER_RETENTION_DAYS"])
CURRENCIES = frozenset(json.loads(Path(__file__).parent.with_name("currencies.json").read_bytes()))
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SKU = re.compile(r"[A-Za-z0-9._-]{1,64}")
JSON_TYPE = re.compile(r"\s*(application/json\s*)?(;.*)?", re.IGNORECASE)
UNCARRIED = re.compile("[\ufffd-\uffff]")
MAX_BODY_BYTES = 1023 * 1024
SECURITY_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff",
                    "strict-transport-security": "max-age=63072000; includeSubDomains"}
MISSING = object()
INTERNAL = ("pk", "owner", "requestHash", "expiresAt")

dynamodb = boto3.client("dynamodb")
serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


class Problem(Exception):
    """An error of the caller or of the service, as an HTTP problem."""

    def __init__(self, status, detail, errors=None):
        super().__init__(detail)
        self.status, self.errors = status, errors


def is_integer(low, high):
    return lambda value: type(value) is int and low <= value <= high


def is_note(note):
    return note is MISSING or isinstance(note, str) and len(note) <= 500 and not UNCARRIED.search(note)


ITEM = {
    "sku": (lambda sku: isinstance(sku, str) and SKU.fullmatch(sku), "must be 1 to 64 of A-Z a-z 0-9 . _ -"),
    "quantity": (is_integer(1, 10_000), "must be an integer from 1 to 10000"),
    "unitPriceMinor": (is_integer(0, 1_000_000_000), "must be an integer from 0 to 1000000000, in minor units"),
}
ORDER = {
    "currency": (lambda code: isinstance(code, str) and code in CURRENCIES, "must be an ISO 4217 code such as EUR"),
    "items": (lambda items: isinstance(items, list) and 1 <= len(items) <= 100, "must hold 1 to 100 items"),
    "note": (is_note, "must be at most 500 characters, without U+FFFD, U+FFFE or U+FFFF"),
}


def violations(value, rules, at):
    """All violations in the fields of an object, by JSON pointer."""
    if not isinstance(value, dict):
        return [{"pointer": at, "detail": "must be an object"}]
    wrong = [(name, "is not a known field") for name in value if name not in rules]
    wrong += [(name, detail) for name, (holds, detail) in rules.items() if not holds(value.get(name, MISSING))]
    return [{"pointer": f"{at}/{name}", "detail": detail} for name, detail in wrong]


def parse_order(body):
    """The order's content with its fields in a fixed order, so that equal contents have equal JSON."""
    try:
        order = json.loads(body)
    except ValueError:
        raise Problem(400, "The body must be JSON.") from None
    errors = violations(order, ORDER, "")
    items = order.get("items") if isinstance(order, dict) else None
    items = items[:100] if isinstance(items, list) else []
    for index, item in enumerate(items):
        errors += violations(item, ITEM, f"/items/{index}")
    if errors:
        raise Problem(400, "The order is not valid.", errors)
    content = {"currency": order["currency"], "items": [{name: item[name] for name in ITEM} for item in items]}
    return {**content, "note": order["note"]} if "note" in order else content


def rfc3339(moment):
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(event):
    """Reads the order from an event of the REST API."""
    order_id = ((event["pathParameters"] or {}).get("orderId") or "").lower()
    if not UUID.fullmatch(order_id):
        raise Problem(400, "The order id must be a UUID.")
    context, headers = event["requestContext"], event["headers"] or {}
    owner = context["authorizer"]["owner"]
    if not JSON_TYPE.fullmatch(next((value for name, value in headers.items() if name.lower() == "content-type"), "")):
        raise Problem(415, "Send the order as application/json.")
    try:
        body = (event["body"] or "").encode()
        body = base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body
    except (UnicodeEncodeError, binascii.Error):
        raise Problem(400, "The body is not valid base64 or text.") from None
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, f"The maximum is {MAX_BODY_BYTES} bytes.")
    content = parse_order(body)
    placed = context["requestTimeEpoch"]
    order = {
        "pk": f"{owner}#{order_id}", "orderId": order_id, "owner": owner, "status": "CONFIRMED", "lane": "sync",
        **content,
        "totalMinor": sum(item["quantity"] * item["unitPriceMinor"] for item in content["items"]),
        "placedAt": rfc3339(datetime.fromtimestamp(placed / 1000, timezone.utc)),
        "confirmedAt": rfc3339(datetime.now(timezone.utc)),
        "attempts": 1, "requestHash": hashlib.sha256(json.dumps(content).encode()).hexdigest(),
    }
    return {**order, "expiresAt": placed // 1000 + RETENTION_DAYS * 86_400} if RETENTION_DAYS else order


def store(order):
    """Stores the order with one write. Returns the order that was stored under its id before, or None."""
    try:
        dynamodb.put_item(
            TableName=TABLE,
            Item={name: serialize(value) for name, value in order.items()},
            ConditionExpression="attribute_not_exists(pk) OR (#status = :failed AND requestHash = :hash)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":failed": {"S": "FAILED"}, ":hash": {"S": order["requestHash"]}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code == "ConditionalCheckFailedException" and "Item" in error.response:
            return {name: deserialize(value) for name, value in error.response["Item"].items()}
        if status < 500 and not re.search("Throttl|ThroughputExceeded|LimitExceeded", code):
            raise
        raise Problem(503, "The database cannot serve the request right now. It is safe to repeat.") from error
    except BotoCoreError as error:
        raise Problem(503, "The database cannot serve the request right now. It is safe to repeat.") from error
    return None


def whole(number):
    """Converts DynamoDB's decimals to the integers of an order."""
    if isinstance(number, Decimal):
        return int(number)
    raise TypeError(f"{number!r} is not JSON")


def answer(status, media_type, body, **headers):
    headers = {"content-type": media_type, **SECURITY_HEADERS, **headers}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, default=whole), "isBase64Encoded": False}


def log(level, message, request_id, **fields):
    line = {"timestamp": rfc3339(datetime.now(timezone.utc)), "level": level, "message": message, "requestId": request_id}
    print(json.dumps({**line, **fields}), flush=True)


def handle(event, request_id):
    """Answers one request. Errors become problem responses."""
    try:
        order = parse(event)
        before = store(order)
        if before and before["status"] == "REJECTED":
            raise Problem(409, f"The order was rejected before: {before['reason']}.")
        if before and before["requestHash"] != order["requestHash"]:
            raise Problem(409, "The id has a different order.")
        view = {name: value for name, value in (before or order).items() if name not in INTERNAL}
        order_id = view["orderId"]
        message = f"Order {order_id} was stored before" if before else f"Confirmed order {order_id}"
        log("INFO", message, request_id, **{"order.id": order_id})
        if before:
            return answer(200, "application/json", view)
        return answer(201, "application/json", view, location=f"../../orders/{order_id}")
    except Exception as error:
        problem = error if isinstance(error, Problem) else Problem(500, "The service failed. It is safe to repeat.")
        status, cause = problem.status, repr(error.__cause__ or error)
        level = "ERROR" if status == 500 else "INFO"
        log(level, "Did not place an order", request_id, status=status, cause=cause)
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": str(problem),
                "requestId": event["requestContext"].get("requestId")}
        body |= {"errors": problem.errors} if problem.errors else {}
        return answer(status, "application/problem+json", body, **({"retry-after": "1"} if status == 503 else {}))
