"""One stage of the product on this machine: the local AWS with the packaged template deployed on it.

    with Stack(ROOT / ".local" / "somewhere") as stack:
        requests.get(stack.api_url + "health")
        stack.client("dynamodb").scan(TableName=stack.outputs["TableName"])
        stack.invoke("sweep")

`make run` keeps one stack for a developer, the tests start their own on a free port. Everything listens on
127.0.0.1 only and writes below the given folder only.

ministack is a whole local AWS in one process. Where it differs from AWS in what we use is mended here, and only
here: it ignores the gateway's own answers in an OpenAPI body (`_give_gateway_responses`); it checks the right to
ssm:GetParameters against no parameter at all (`local/aws.py`), the right to a batch of messages under a name of its own,
and a session where a policy names its role (`_for_the_local_aws`); it forgets a table's stream when it stops but not how
far it was read, and moves to another port without its queues (`_mend_kept_state`).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import botocore.session
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from local import kept, packaging
from local.wechat import catalogue
from local.wechat.control import StandIn

ROOT = packaging.ROOT
REGION = "us-east-1"
ACCOUNT = "000000000000"

# What the template uses. Everything else stays unloaded: ministack starts in a third of the time.
_SERVICES = (
    "apigateway,cloudformation,dynamodb,dynamodbstreams,events,iam,kms,lambda,logs,monitoring,s3,sns,sqs,ssm,sts"
)
_SECURE = ("session_keys", "openid_pepper", "wechat_secrets")
_PACKAGES = "weijiayuan-packages"
_READY_SECONDS = 30
_DEPLOY_SECONDS = 120
_STOP_SECONDS = 30


class StackFailed(Exception):
    """Told to the developer as it is, without a traceback."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class Stack:
    """A stage on the local AWS. `state` holds everything it writes; `keep` lets that survive a stop.

    `settings` are documents by group, written at the first start; secrets are made, and fit the WeChat stand-in.
    With `enforce_iam` every call is checked against IAM policies, so each function works with its own role alone.
    With `timer` the sweep runs every minute; without it, only when `sweep()` is called.
    """

    def __init__(
        self,
        state: Path,
        *,
        port: int | None = None,
        wechat_port: int | None = None,
        keep: bool = False,
        enforce_iam: bool = False,
        timer: bool = True,
        stage: str = "local",
        project: Path = ROOT,
        settings: dict[str, dict[str, Any]] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.state = state
        self.port = port or free_port()
        self.wechat_port = wechat_port or free_port()
        self.stage = stage
        self.outputs: dict[str, str] = {}
        self.kept = state  # once started: the folder whose files go on to the next run
        self.lost = ""  # what is to be said when the run before did not end well
        self._keep = keep
        self._enforce_iam = enforce_iam
        self._timer = timer
        self._project = project
        self._settings = settings or {}
        self._say = say
        self._processes: list[tuple[str, subprocess.Popen[bytes]]] = []

    # --------------------------------------------------------------------------------------------- start and stop

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Package, start the local AWS and the WeChat stand-in, deploy. Seconds, and less when nothing changed."""
        if self.state.exists() and not self._keep:
            shutil.rmtree(self.state)
        self.state.mkdir(parents=True, exist_ok=True)
        package = packaging.package(
            packaging.THIS_MACHINE, packaging.BUILD / "package-local", project=self._project, say=self._say
        )
        self._say("Starting the local AWS")
        self.kept, self.lost = kept.begin(self.state / "kept")
        self._start_aws()
        self._write_settings()
        self._deploy(package)
        self._say("Starting the WeChat stand-in")
        self._start_wechat()
        return self

    def stop(self) -> None:
        """Stop what was started, the local AWS last and gently: it saves its state only then."""
        for _, process in reversed(self._processes):
            _end(process)
        self._processes.clear()
        shutil.rmtree(self.state / "tmp", ignore_errors=True)
        if not self._keep:
            shutil.rmtree(self.state, ignore_errors=True)

    # ------------------------------------------------------------------------------------------------------- use

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def wechat_url(self) -> str:
        return f"http://127.0.0.1:{self.wechat_port}"

    @property
    def wechat(self) -> StandIn:
        """The WeChat stand-in's controls: phones, codes, faults, received messages."""
        return StandIn(self.wechat_url)

    @property
    def api_url(self) -> str:
        """Address of the API with the slash at its end, as the gateway of the local AWS serves it."""
        return f"{self.aws_url}/_aws/execute-api/{self.outputs['RestAPIId']}/api/"

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which any AWS SDK or command line talks to this stack as its administrator."""
        return {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    @functools.cache  # noqa: B019 - one stack per process or test session
    def client(self, service: str) -> Any:
        """A botocore client of the stack's administrator."""
        return self.client_as("test", "test", None, service)

    def client_as(self, key: str, secret: str, token: str | None, service: str) -> Any:
        """A botocore client with other credentials than the administrator's."""
        return _session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.aws_url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=70, s3={"addressing_style": "path"}),
        )

    def function_name(self, function: str) -> str:
        """`push_notices` is `weijiayuan-local-push-notices`, and `api_handler` is `weijiayuan-local-api`."""
        short = "api" if function == "api_handler" else function.replace("_", "-")
        return f"weijiayuan-{self.stage}-{short}"

    def invoke(self, function: str, event: Any = None) -> Any:
        """What a function answers to an event. Raises StackFailed when the function fails."""
        answer = self.client("lambda").invoke(
            FunctionName=self.function_name(function), Payload=json.dumps(event or {}).encode()
        )
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            raise StackFailed(
                f"{function} failed: {json.dumps(result, ensure_ascii=False)}\n" + "\n".join(self.logs(function)[-20:])
            )
        return result

    def sweep(self, at: datetime | None = None) -> Any:
        """What the timer's rule starts each minute; `at` lets all be due that is due by then."""
        at = at or datetime.now(UTC)
        return self.invoke(
            "sweep",
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": ACCOUNT,
                "time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": REGION,
                "resources": [],
                "detail": {},
            },
        )

    def logs(self, function: str) -> list[str]:
        """Every line the function has logged, oldest first."""
        logs, group = self.client("logs"), f"/aws/lambda/{self.function_name(function)}"
        try:
            streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        events = [
            event
            for stream in streams
            for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
        ]
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]

    def put_setting(self, group: str, document: dict[str, Any]) -> None:
        """Change one group of settings as an administrator does. Functions see it within a second."""
        self.client("ssm").put_parameter(
            Name=f"/weijiayuan/{self.stage}/{group}",
            Value=json.dumps(document, ensure_ascii=False),
            Type="SecureString" if group in _SECURE else "String",
            Overwrite=True,
        )

    def start_beside(self, module: str, arguments: list[str], *, answers_at: str) -> None:
        """Start another server of this repository, which stops with the stack."""
        self._spawn([module, *arguments], dict(os.environ))
        self._wait(answers_at)

    def ended(self) -> str | None:
        """The module of a server that has ended though nobody stopped it."""
        return next((name for name, process in self._processes if process.poll() is not None), None)

    # ----------------------------------------------------------------------------------------------------- inside

    def _start_aws(self) -> None:
        for folder in (self.kept / "aws", self.kept / "s3", self.state / "tmp"):
            folder.mkdir(exist_ok=True)
        self._mend_kept_state()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {
            "AUTH": "true" if self._enforce_iam else "false",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "INFO",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1" if self._keep else "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "S3_DATA_DIR": str(self.kept / "s3"),
            "S3_PERSIST": "1" if self._keep else "0",
            "SERVICES": _SERVICES,
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.kept / "aws"),
            "TMPDIR": str(self.state / "tmp"),
        }
        self._spawn(["local.aws"], environment)
        self._wait(f"{self.aws_url}/_ministack/ready")
        kept.in_use(self.kept)

    def _mend_kept_state(self) -> None:
        """ministack keeps queues under URLs with its port, and how far the stream was read but not the stream."""
        saved = self.kept / "aws"
        port = saved / "port"
        if port.exists() and port.read_text() != str(self.port):
            for file in saved.glob("*.json"):
                text = file.read_text()
                file.write_text(text.replace(f"127.0.0.1:{port.read_text()}", f"127.0.0.1:{self.port}"))
        functions = saved / "lambda.json"
        if functions.exists():
            saved = json.loads(functions.read_text())
            saved["payload"]["dynamodb_stream_positions"]["data"].clear()
            functions.write_text(json.dumps(saved))
        port.write_text(str(self.port))

    def _start_wechat(self) -> None:
        arguments = ["--port", str(self.wechat_port), "--callback-url", f"{self.api_url}wechat/callback"]
        if self._keep:
            arguments += ["--state-file", str(self.kept / "wechat.json")]
        self.start_beside("local.wechat", arguments, answers_at=f"{self.wechat_url}/")

    def _spawn(self, command: list[str], environment: dict[str, str]) -> None:
        with (self.state / f"{command[0]}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "local.leash", *command],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,  # the leash: it closes with this process
                stdout=log,
                stderr=subprocess.STDOUT,
                # In a session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
                start_new_session=True,
            )
        self._processes.append((command[0], process))

    def _wait(self, url: str) -> None:
        """Until the server started last answers at an address."""
        name, process = self._processes[-1]
        until = time.monotonic() + _READY_SECONDS
        while process.poll() is None and time.monotonic() < until:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        tail = (self.state / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
        raise StackFailed(f"{name} does not start:\n" + "\n".join(tail))

    def _write_settings(self) -> None:
        """Secrets and settings of a first start. What an administrator changed since then is left alone."""
        for group, document in (_new_secrets() | self._settings).items():
            with contextlib.suppress(self.client("ssm").exceptions.ParameterAlreadyExists):
                self.client("ssm").put_parameter(
                    Name=f"/weijiayuan/{self.stage}/{group}",
                    Value=json.dumps(document, ensure_ascii=False),
                    Type="SecureString" if group in _SECURE else "String",
                    Overwrite=False,
                )

    def _deploy(self, package: Path) -> None:
        """What `aws cloudformation package` and `deploy` do, unless this very package is what runs."""
        label = json.loads((package / "package.json").read_text())
        parameters = {
            "Stage": self.stage,
            "WeChatApiBase": self.wechat_url,
            "SettingsTtlSeconds": "1",
            "SweepState": "ENABLED" if self._timer else "DISABLED",
            "RequireTls": "false",
        }
        before = self._description()
        if before and _runs(before, label["key"], parameters):
            self.outputs = _outputs(before)
            return
        self._say("Deploying the package" if before is None else "Deploying the changed package")
        template = yaml.safe_load((package / "template.yaml").read_text(encoding="utf-8"))
        zip_key, template_key = f"{label['zip']}.zip", f"{label['key']}.yaml"
        _for_the_local_aws(template, code=f"s3://{_PACKAGES}/{zip_key}")
        template["Outputs"]["Package"] = {"Value": label["key"]}
        s3, cloudformation = self.client("s3"), self.client("cloudformation")
        with contextlib.suppress(ClientError):
            s3.create_bucket(Bucket=_PACKAGES)
        for old in s3.list_objects_v2(Bucket=_PACKAGES).get("Contents", []):
            s3.delete_object(Bucket=_PACKAGES, Key=old["Key"])
        s3.put_object(Bucket=_PACKAGES, Key=zip_key, Body=(package / "deployment.zip").read_bytes())
        s3.put_object(Bucket=_PACKAGES, Key=template_key, Body=yaml.safe_dump(template, allow_unicode=True).encode())
        (cloudformation.create_stack if before is None else cloudformation.update_stack)(
            StackName=f"weijiayuan-{self.stage}",
            TemplateURL=f"{self.aws_url}/{_PACKAGES}/{template_key}",
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        self.outputs = _outputs(self._deployed())
        self._give_gateway_responses(template)

    def _description(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=f"weijiayuan-{self.stage}")[
                "Stacks"
            ][0]
        except ClientError:
            return None
        return found

    def _deployed(self) -> dict[str, Any]:
        until = time.monotonic() + _DEPLOY_SECONDS
        while time.monotonic() < until:
            found = self._description()
            status = found["StackStatus"] if found else "missing"
            if found and status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return found
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(0.05)
        events = self.client("cloudformation").describe_stack_events(StackName=f"weijiayuan-{self.stage}")[
            "StackEvents"
        ]
        reasons = [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events
            if event.get("ResourceStatusReason")
        ]
        raise StackFailed(f"The template cannot be deployed ({status}):\n" + "\n".join(reversed(reasons)))

    def _give_gateway_responses(self, template: dict[str, Any]) -> None:
        """Tell the local gateway its own answers, which AWS reads from the API's body by itself."""
        gateway, api = self.client("apigateway"), self.outputs["RestAPIId"]
        body = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
        for kind, response in body["x-amazon-apigateway-gateway-responses"].items():
            gateway.put_gateway_response(restApiId=api, responseType=kind, **response)
        gateway.create_deployment(restApiId=api, stageName="api")


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


def _new_secrets() -> dict[str, dict[str, Any]]:
    return {
        "session_keys": {"session_keys": [secrets.token_urlsafe(32)]},
        "openid_pepper": {"openid_pepper": secrets.token_urlsafe(32)},
        "wechat_secrets": dict(catalogue.ACCOUNTS),
    }


def _for_the_local_aws(template: dict[str, Any], *, code: str) -> None:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code
        if resource["Type"] == "AWS::IAM::Role":
            for statement in resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
                if "sqs:SendMessage" in statement["Action"]:
                    # On AWS one permission stands for both calls, and IAM knows no action of this name.
                    statement["Action"] = [*statement["Action"], "sqs:SendMessageBatch"]
        if resource["Type"] == "AWS::KMS::Key":
            for statement in resource["Properties"]["KeyPolicy"]["Statement"]:
                if "Condition" in statement:
                    _spell_roles_as_sessions(statement["Condition"])


def _spell_roles_as_sessions(condition: dict[str, Any]) -> None:
    """aws:PrincipalArn is the role's on AWS, whoever has taken it; here it is that of the session."""
    roles = [role["Fn::Sub"] for role in condition.pop("ArnEquals")["aws:PrincipalArn"]]
    sessions = [f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/*" for role in roles]
    condition["ArnLike"] = {"aws:PrincipalArn": [{"Fn::Sub": session} for session in sessions]}


def _runs(description: dict[str, Any], package: str, parameters: dict[str, str]) -> bool:
    given = {each["ParameterKey"]: each["ParameterValue"] for each in description["Parameters"]}
    return _outputs(description).get("Package") == package and given.items() >= parameters.items()


def _outputs(description: dict[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to stop, wait, then stop it and its children by force."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    # Handlers that run in the local AWS's process group end with it, even in the middle of something.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
