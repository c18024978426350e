/** Brings the stream of the server to the parts of the page. */
import { announceChanges } from './announcements.js';
import { showDrain } from './drain.js';
import { offerFaults, showFault } from './faults.js';
import { showHappenings } from './happenings.js';
import { showLoad } from './load.js';
import { markGap, recall, showPools } from './pools.js';
import './snippets.js';
import { listen } from './stream.js';

listen({
  greeting({ canFail, lastDrain, past }) {
    recall(past);
    offerFaults(canFail);
    showDrain(lastDrain);
  },
  beat(beat) {
    showPools(beat.pools, beat.at);
    showLoad(beat.load, beat.at);
    showFault(beat.fault, beat.at);
    showHappenings(beat.happenings);
    announceChanges(beat);
  },
  lost: markGap,
});
