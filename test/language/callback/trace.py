# What Ansible does, as lines that can be compared: what `debug` says on which host, and how each host ends.
# Loaded as the stdout callback of the ansible-playbook runs of the language tests.
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "trace"

    def __init__(self):
        super().__init__()
        self.file = open(os.environ["TRACE_FILE"], "a", buffering=1)

    def line(self, text):
        self.file.write(text + "\n")

    def said(self, result):
        if result._task.action in ("debug", "ansible.builtin.debug") and "msg" in result._result:
            self.line("%s: %s" % (result._host.name, result._result["msg"]))

    def v2_runner_on_ok(self, result):
        if result._task.loop is None:
            self.said(result)

    def v2_runner_item_on_ok(self, result):
        self.said(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        print("FAILED", result._host.name, result._result.get("msg"))

    def v2_runner_on_unreachable(self, result):
        print("UNREACHABLE", result._host.name, result._result.get("msg"))

    def v2_playbook_on_stats(self, stats):
        for host in sorted(stats.processed):
            end = "unreachable" if stats.dark.get(host) else "failed" if stats.failures.get(host) else "ok"
            self.line("END %s %s" % (host, end))
