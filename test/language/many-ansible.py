# Runs many playbooks with ansible-playbook, two at a time. Ansible is imported once and forked, which saves most of the time of short playbooks.
# Stdin: a JSON list of {"cwd", "argv", "trace"}. Each run writes `theirs.out` and `theirs.exit` into its folder.
import json
import os
import sys

import ansible.cli.playbook
import ansible.executor.playbook_executor  # noqa: F401 (imported before the fork)
import ansible.plugins.strategy.linear  # noqa: F401


def run(job):
    os.chdir(job["cwd"])
    os.environ["TRACE_FILE"] = job["trace"]
    out = os.open("theirs.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    code = 250
    try:
        os.setsid()
        code = ansible.cli.playbook.PlaybookCLI(["ansible-playbook"] + job["argv"]).run()
    except SystemExit as end:
        code = end.code
    except ansible.errors.AnsibleError as error:
        print("ERROR", error, flush=True)
        code = 251
    with open("theirs.exit", "w") as file:
        file.write(str(code))
    sys.stdout.flush()
    os._exit(0)


running = 0
for job in json.load(sys.stdin):
    if running == 2:
        os.wait()
        running -= 1
    if os.fork() == 0:
        run(job)
    running += 1
while running:
    os.wait()
    running -= 1
