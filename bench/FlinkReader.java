import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.jobmaster.event.FileSystemJobEventStore;

/** Reads a store to its end with Flink's own reader, as its JobMaster does; prints what it took as JSON. */
public final class FlinkReader {
    public static void main(String[] args) throws Exception {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long start = System.nanoTime();
        long cpu = system.getProcessCpuTime();
        FileSystemJobEventStore store = new FileSystemJobEventStore(new Path(args[0]), new Configuration());
        store.start();
        long events = 0;
        while (store.readEvent() != null) events++;
        double ms = (System.nanoTime() - start) / 1e6;
        double cpuMs = (system.getProcessCpuTime() - cpu) / 1e6;
        System.out.printf(java.util.Locale.ROOT, "{\"events\":%d,\"ms\":%.1f,\"cpuMs\":%.1f}%n", events, ms, cpuMs);
        store.stop(false);
        System.exit(0);
    }
}
