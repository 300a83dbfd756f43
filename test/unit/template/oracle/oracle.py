"""Evaluates expressions and templates with the real Jinja2 (and ansible-core's filters where installed).

Reads {"context", "expressions", "ansible", "templates"} as JSON, writes {"versions", "expressions", "ansible", "templates"}.
Every outcome is a tagged value that keeps Python's types apart, or {"error": name}.
"""
import collections.abc
import datetime
import json
import sys
import time
import types
import os
os.environ['TZ'] = 'UTC'
time.tzset()
import jinja2
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment


class ChainableStrict(jinja2.StrictUndefined):
    """Ansible's rule: an attribute of something undefined is undefined."""
    def __getattr__(self, name):
        if name[:2] == '__':
            raise AttributeError(name)
        return self
    __getitem__ = __getattr__


def tag(value):
    if value is None or isinstance(value, bool):
        return value
    if type(value) is jinja2.Undefined:
        return ''
    if isinstance(value, jinja2.Undefined):
        raise jinja2.UndefinedError(str(value._undefined_message))
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return {'int': str(value)}
    if isinstance(value, float):
        return {'float': repr(value)}
    if isinstance(value, range):
        return {'list': [tag(v) for v in value]}
    if isinstance(value, tuple):
        return {'tuple': [tag(v) for v in value]}
    if isinstance(value, collections.abc.Mapping):
        return {'dict': [[tag(k), tag(v)] for k, v in value.items()]}
    if isinstance(value, (list, types.GeneratorType, collections.abc.MappingView)) or type(value).__name__ in (
            'zip', 'map', 'filter', 'reversed', 'zip_longest', 'list_reverseiterator', 'product', 'permutations', 'combinations'):
        return {'list': [tag(v) for v in value]}
    return {'other': type(value).__name__}


def settings():
    return dict(undefined=ChainableStrict, trim_blocks=True, keep_trailing_newline=True,
                finalize=lambda value: '' if value is None else value, extensions=['jinja2.ext.do', 'jinja2.ext.loopcontrols'])


def attempt(body):
    try:
        return tag(body())
    except Exception as cause:
        return {'error': type(cause).__name__, 'message': str(cause)[:200]}


def add_ansible(env):
    from ansible.plugins.filter import core, mathstuff, urls, urlsplit, encryption
    from ansible.plugins.test import core as tcore, mathstuff as tmath, files as tfiles, uri as turi
    for module in (core, mathstuff, urls, urlsplit, encryption):
        for name, function in module.FilterModule().filters().items():
            env.filters[name] = env.filters['ansible.builtin.' + name] = function
    for module in (tcore, tmath, tfiles, turi):
        for name, function in module.TestModule().tests().items():
            env.tests[name] = env.tests['ansible.builtin.' + name] = function
    try:
        from ansible_collections.community.general.plugins.filter import random_mac
        env.filters['random_mac'] = random_mac.FilterModule().filters()['random_mac']
    except Exception:
        pass
    try:
        from ansible_collections.ansible.utils.plugins.filter import ipaddr, ipv4, ipv6, ipwrap, ipsubnet, nthhost, hwaddr
        for module in (ipaddr, ipv4, ipv6, ipwrap, ipsubnet, nthhost, hwaddr):
            for name, function in module.FilterModule().filters().items():
                env.filters['ansible.utils.' + name] = function
    except Exception:
        pass


def main():
    work = json.load(sys.stdin)
    context = work['context']
    answer = {'versions': {'jinja2': jinja2.__version__, 'ansible': None}}
    plain = NativeEnvironment(**settings())

    def evaluate(env, expression):
        fresh = json.loads(json.dumps(context))
        return attempt(lambda: env.compile_expression(expression, undefined_to_none=False)(**fresh))

    answer['expressions'] = [evaluate(plain, expression) for expression in work['expressions']]
    files = SandboxedEnvironment(loader=jinja2.DictLoader(work.get('files', {})), **settings())

    def render(row):
        env = files.overlay(**row.get('options', {}))
        return attempt(lambda: env.from_string(row['text']).render(**json.loads(json.dumps(context))))

    answer['templates'] = [render(row) for row in work['templates']]
    answer['ansible'] = None
    try:
        import ansible.release
        rich = NativeEnvironment(**settings())
        add_ansible(rich)
        answer['versions']['ansible'] = ansible.release.__version__
        answer['ansible'] = [evaluate(rich, expression) for expression in work['ansible']]
        answer['ansible_has_utils'] = 'ansible.utils.ipaddr' in rich.filters
        answer['ansible_has_mac'] = 'random_mac' in rich.filters
    except ImportError:
        pass
    json.dump(answer, sys.stdout)


main()
