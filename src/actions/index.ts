import type {Action} from '../engine/action.ts';
import {assert} from './assert.ts';
import {debug} from './debug.ts';
import {fail} from './fail.ts';
import {fetch} from './fetch.ts';
import {includeVars} from './include-vars.ts';
import {addHost, groupBy} from './inventory-actions.ts';
import {meta} from './meta.ts';
import {pause} from './pause.ts';
import {reboot} from './reboot.ts';
import {setFact} from './set-fact.ts';
import {gatherFacts, setup} from './setup.ts';
import {validateArgumentSpec} from './validate-argument-spec.ts';
import {waitForConnection} from './wait-for-connection.ts';

/** All engine tasks by name. */
export const actions: ReadonlyMap<string, Action> = new Map(
  [
    addHost,
    assert,
    debug,
    fail,
    fetch,
    gatherFacts,
    groupBy,
    includeVars,
    meta,
    pause,
    reboot,
    setFact,
    setup,
    validateArgumentSpec,
    waitForConnection,
  ].map((action) => [action.name, action]),
);
