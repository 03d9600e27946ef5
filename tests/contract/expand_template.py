"""Prints a SAM template as the plain CloudFormation that AWS would make of it, for cfn-lint to read.

cfn-lint does not follow references inside AWS::Serverless::* resources; in the expansion there are none left.
Usage: python expand_template.py TEMPLATE OPENAPI
"""

import json
import os
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def main(template_path: str, openapi_path: str) -> None:
    with open(template_path, encoding="utf-8") as template_file, open(openapi_path, encoding="utf-8") as openapi_file:
        template, openapi = yaml_parse(template_file.read()), yaml_parse(openapi_file.read())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # What CloudFormation includes, and what `sam package` uploads.
        if "Fn::Transform" in properties.get("DefinitionBody", {}):
            properties["DefinitionBody"] = openapi
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://bucket/key"
    # The translator asks the session for a region and calls nothing.
    session = boto3.Session(region_name=os.environ["AWS_DEFAULT_REGION"])
    print(json.dumps(Translator({}, Parser(), boto_session=session).translate(template, {}), default=str))


main(*sys.argv[1:])
