"""Parameters from samconfig.toml and the command line, as they reach SAM."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from awscloud import environments, parameters
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY
from localcloud.parameter_overrides import overrides
from odd_values import ODD_VALUES
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.guided_config import GuidedConfig
from samcli.lib.config.samconfig import SamConfig

_KEYS = '{"keys": [{"kid": "a b", "n": "x=="}]}'


def taken(environment: environments.Environment, *given: str) -> dict[str, str]:
    """What SAM makes of what it is called with."""
    with tempfile.TemporaryDirectory() as folder:
        _option, *words = overrides(environment.parameters_with(list(given)), Path(folder))
        read: dict[str, str] = CfnParameterOverridesType().convert(tuple(words), None, None)
    return read


class Parameters(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.samconfig = Path(folder.name) / "samconfig.toml"
        self.samconfig.write_bytes((REPOSITORY / "samconfig.toml").read_bytes())

    def test_answers_that_the_guide_saved_reach_sam_unchanged(self) -> None:
        answered = {"KmsKeyArn": "", "JwtIssuer": "", "Jwks": _KEYS, "LogRetentionDays": "3", "CorsAllowedOrigins": "https://a.example https://b.example"}
        guide, file = GuidedConfig(template_file="template.yaml", section="parameters"), SamConfig(self.samconfig.parent)
        guide._save_parameter_overrides(["deploy"], "dev", {name: {"Value": value} for name, value in answered.items()}, file)
        file.flush()

        environment = environments.read(self.samconfig, "dev")

        self.assertEqual(taken(environment), answered)

    def test_a_given_parameter_overrides_the_environments_and_may_be_empty(self) -> None:
        environment = environments.read(self.samconfig, "dev")

        parameters = taken(environment, "AlarmTopic=", "CorsAllowedOrigins=", f"Jwks={_KEYS}")

        self.assertEqual(parameters, {**environment.parameters, "AlarmTopic": "", "CorsAllowedOrigins": "", "Jwks": _KEYS})
        self.assertEqual(environment.parameters["AlarmTopic"], "none")

    def test_every_value_reaches_sam_unchanged(self) -> None:
        environment = environments.read(self.samconfig, "dev")

        for value in ODD_VALUES:
            with self.subTest(value=value):
                self.assertEqual(taken(environment, f"Jwks={value}")["Jwks"], value)

    def test_text_that_sam_would_ignore_in_samconfig_is_refused(self) -> None:
        for text, refusal in (
            ("Origins=https://a.example https://b.example", "SAM would ignore 'https://b.example' in "), ('Jwks={"keys":[]}', "SAM would ignore '\"keys\":[]}' in "),
            ('Jwks="half', 'Jwks="half is not a valid format'), ("Note=a\\", r"SAM would ignore '\\' in "), ('Note="a\\"', 'Note="a\\" is not a valid format'),
            ("A=1 B=", "SAM would ignore 'B=' in "), ("ParameterKey=A,ParameterValue=b c", "SAM would ignore 'c' in "),
        ):  # fmt: skip
            for written in (text, [text], [["Other=1"], text]):
                with self.subTest(written=written):
                    with self.assertRaises(Failure) as raised:
                        parameters.read_from_samconfig(written)
                    self.assertTrue(str(raised.exception).startswith(refusal), str(raised.exception))

    def test_text_that_sam_reads_completely_in_samconfig_is_accepted(self) -> None:
        for written, read in (
            ('A=1 B="two words" C=""', {"A": "1", "B": "two words", "C": ""}), (['A="a \\"b\\""', "B=b"], {"A": 'a "b"', "B": "b"}), ({"A": "two words", "B": 3}, {"A": "two words", "B": "3"}),
            ("ParameterKey=A,ParameterValue=b", {"A": "b"}), (None, {}), ("", {}), ([], {}),
        ):  # fmt: skip
            with self.subTest(written=written):
                self.assertEqual(parameters.read_from_samconfig(written), read)

    def test_a_text_that_is_not_a_parameter_is_refused(self) -> None:
        with self.assertRaisesRegex(Failure, "write NAME=VALUE"):
            environments.read(self.samconfig, "dev").parameters_with(["WebAcl"])

        self.samconfig.write_text('[dev.deploy.parameters]\nstack_name = "x"\nparameter_overrides = ["WebAcl"]\n')
        with self.assertRaisesRegex(Failure, "cannot be read: WebAcl is not a valid format"):
            environments.read(self.samconfig, "dev")
