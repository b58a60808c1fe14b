package jobrec.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;

/**
 * Passes records on unchanged, but waits for a file at one point: in open(), or at its n-th record. While it waits it
 * leaves a mark with its process id in waiting/, so that an observer knows when a job has come to rest.
 */
public final class Gate extends RichMapFunction<Long, Long> {
    private static final long serialVersionUID = 1L;
    private static final long POLL_MS = 50;

    private final String folder;
    private final String stage;
    private final long waitAtRecord;
    private transient long records;

    /** @param waitAtRecord 0: in open(); n: at the n-th record of each subtask */
    public Gate(String folder, String stage, long waitAtRecord) {
        this.folder = folder;
        this.stage = stage;
        this.waitAtRecord = waitAtRecord;
    }

    @Override
    public void open(OpenContext context) throws Exception {
        if (waitAtRecord == 0) pass();
    }

    @Override
    public Long map(Long value) throws Exception {
        records += 1;
        if (records == waitAtRecord) pass();
        return value;
    }

    private void pass() throws IOException, InterruptedException {
        String task = stage + "." + getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        if (isOpen(task)) return;
        Path mark = Path.of(folder, "waiting", task);
        Files.writeString(mark, Long.toString(ProcessHandle.current().pid()));
        try {
            while (!isOpen(task)) Thread.sleep(POLL_MS);
        } finally {
            Files.deleteIfExists(mark);
        }
    }

    private boolean isOpen(String task) {
        return Files.exists(Path.of(folder, task)) || Files.exists(Path.of(folder, "all"));
    }
}
