import fc from 'fast-check';

// Laws run on the same cases everywhere, so that a red run is somebody's change and not somebody's luck. Another seed looks further: FC_SEED=… ava
fc.configureGlobal({seed: Number(process.env['FC_SEED'] ?? 20261124)});
