package jobrec.judge;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;

/**
 * Numbers from 0 on, in a fixed number of splits that readers ask for one by one. Its enumerator supports batch
 * snapshots (as Flink's own does) or hides that it could.
 */
public final class NumberSource extends NumberSequenceSource {
    private static final long serialVersionUID = 1L;

    private final int splits;
    private final boolean supportsBatchSnapshot;

    public NumberSource(long records, int splits, boolean supportsBatchSnapshot) {
        super(0, records - 1);
        this.splits = splits;
        this.supportsBatchSnapshot = supportsBatchSnapshot;
    }

    @Override
    public SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> createEnumerator(
            SplitEnumeratorContext<NumberSequenceSplit> context) {
        return restoreEnumerator(context, splitNumberRange(getFrom(), getTo(), splits));
    }

    @Override
    public SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> restoreEnumerator(
            SplitEnumeratorContext<NumberSequenceSplit> context, Collection<NumberSequenceSplit> remaining) {
        SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> enumerator =
                super.restoreEnumerator(context, remaining);
        return supportsBatchSnapshot ? enumerator : new WithoutBatchSnapshot(enumerator);
    }

    /** The same enumerator without the marker interface SupportsBatchSnapshot. */
    private static final class WithoutBatchSnapshot
            implements SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> {
        private final SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> inner;

        WithoutBatchSnapshot(SplitEnumerator<NumberSequenceSplit, Collection<NumberSequenceSplit>> inner) {
            this.inner = inner;
        }

        @Override
        public void start() {
            inner.start();
        }

        @Override
        public void handleSplitRequest(int subtask, String host) {
            inner.handleSplitRequest(subtask, host);
        }

        @Override
        public void addSplitsBack(List<NumberSequenceSplit> returned, int subtask) {
            inner.addSplitsBack(returned, subtask);
        }

        @Override
        public void addReader(int subtask) {
            inner.addReader(subtask);
        }

        @Override
        public Collection<NumberSequenceSplit> snapshotState(long checkpointId) throws Exception {
            return inner.snapshotState(checkpointId);
        }

        @Override
        public void close() throws IOException {
            inner.close();
        }
    }
}
