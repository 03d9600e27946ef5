"""Prints a SAM template as the plain CloudFormation that AWS would make of it, for cfn-lint, checkov and tests to read.

The linters do not follow references inside AWS::Serverless::* resources; the expansion has none. Runs with the Python of the `sam`
tool set. Usage: python expand_template.py TEMPLATE OPENAPI [PARAMETERS …]

Each PARAMETERS is a JSON object with the parameters of one stack, because SAM reads some. The output has one line for each, or one
for the defaults. One name in the expansion contains the time (AlwaysDeploy); SOURCE_DATE_EPOCH, if set, is that time.
"""

import copy
import json
import os
import sys
import time

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def main(template_path: str, openapi_path: str, *parameter_sets: str) -> None:
    with open(template_path, encoding="utf-8") as template_file, open(openapi_path, encoding="utf-8") as openapi_file:
        template, openapi = yaml_parse(template_file.read()), yaml_parse(openapi_file.read())
    if "SOURCE_DATE_EPOCH" in os.environ:
        now = float(os.environ["SOURCE_DATE_EPOCH"])
        time.time = lambda: now
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # Replace what CloudFormation includes and what `sam package` uploads.
        if "Fn::Transform" in properties.get("DefinitionBody", {}):
            properties["DefinitionBody"] = openapi
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://bucket/key"
    for parameters in parameter_sets or ("{}",):
        print(json.dumps(_expand(copy.deepcopy(template), json.loads(parameters)), default=str))


def _expand(template: dict, parameters: dict) -> dict:
    # The translator asks the session for a region and calls nothing.
    session = boto3.Session(region_name=os.environ["AWS_DEFAULT_REGION"])
    expansion = Translator({}, Parser(), boto_session=session).translate(template, parameters)
    _give_stages_the_metadata_of_their_apis(expansion["Resources"])
    return expansion


def _give_stages_the_metadata_of_their_apis(resources: dict) -> None:
    """An AWS::Serverless::Api becomes a RestApi and a Stage, but SAM gives its metadata only to the RestApi."""
    for stage in resources.values():
        if stage["Type"] == "AWS::ApiGateway::Stage":
            metadata = resources[stage["Properties"]["RestApiId"]["Ref"]].get("Metadata")
            if metadata:
                stage["Metadata"] = metadata


main(*sys.argv[1:])
