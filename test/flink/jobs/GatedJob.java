package jobrec.judge;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.co.CoMapFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * Builds a job from a file of one stage a line, each behind a gate. Parallelism 0 is left to the scheduler.
 *
 * <pre>
 * source NAME PARALLELISM GATE RECORDS SPLITS snapshot|no-snapshot
 * map    NAME PARALLELISM GATE chain|no-chain INPUT EXCHANGE
 * union  NAME PARALLELISM GATE chain|no-chain INPUT EXCHANGE INPUT EXCHANGE
 * join   NAME PARALLELISM GATE chain|no-chain INPUT EXCHANGE INPUT EXCHANGE
 * </pre>
 */
public final class GatedJob {
    private final StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    private final Map<String, SingleOutputStreamOperator<Long>> stages = new LinkedHashMap<>();
    private final Map<String, Integer> parallelism = new LinkedHashMap<>();
    private final Set<String> read = new HashSet<>();
    private final String gates;

    private GatedJob(String gates) {
        this.gates = gates;
    }

    public static void main(String[] args) throws Exception {
        GatedJob job = new GatedJob(args[1]);
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            if (!line.isBlank()) job.add(line.trim().split(" +"));
        }
        job.discardWhatNobodyReads();
        job.environment.execute("gated");
    }

    private void add(String[] words) {
        String name = words[1];
        parallelism.put(name, Integer.parseInt(words[2]));
        Gate gate = new Gate(gates, name, Long.parseLong(words[3]));
        DataStream<Long> input = words[0].equals("source") ? source(words) : inputs(words);
        SingleOutputStreamOperator<Long> stage = withParallelism(input.map(gate).returns(Types.LONG).name(name), name);
        if (words[4].equals("no-chain")) stage.disableChaining();
        stages.put(name, stage);
    }

    private DataStream<Long> source(String[] words) {
        NumberSource source =
                new NumberSource(Long.parseLong(words[4]), Integer.parseInt(words[5]), words[6].equals("snapshot"));
        return withParallelism(
                environment.fromSource(source, WatermarkStrategy.noWatermarks(), "numbers-" + words[1]), words[1]);
    }

    private DataStream<Long> inputs(String[] words) {
        DataStream<Long> first = exchanged(words[5], words[6]);
        if (words[0].equals("map")) return first;
        DataStream<Long> second = exchanged(words[7], words[8]);
        if (words[0].equals("union")) return first.union(second);
        return withParallelism(
                first.connect(second).map(new Either()).returns(Types.LONG).name("join-" + words[1]), words[1]);
    }

    private DataStream<Long> exchanged(String input, String exchange) {
        DataStream<Long> stream = stages.get(input);
        read.add(input);
        switch (exchange) {
            case "forward":
                return stream.forward();
            case "hash":
                return stream.keyBy(value -> value % 64, Types.LONG);
            case "rebalance":
                return stream.rebalance();
            case "rescale":
                return stream.rescale();
            case "broadcast":
                return stream.broadcast();
            default:
                throw new IllegalArgumentException("no such exchange: " + exchange);
        }
    }

    private void discardWhatNobodyReads() {
        stages.forEach((name, stage) -> {
            if (read.contains(name)) return;
            var sink = stage.sinkTo(new DiscardingSink<>());
            if (parallelism.get(name) > 0) sink.setParallelism(parallelism.get(name));
        });
    }

    private SingleOutputStreamOperator<Long> withParallelism(SingleOutputStreamOperator<Long> stage, String name) {
        return parallelism.get(name) > 0 ? stage.setParallelism(parallelism.get(name)) : stage;
    }

    /** Both inputs, as they come. */
    private static final class Either implements CoMapFunction<Long, Long, Long> {
        private static final long serialVersionUID = 1L;

        @Override
        public Long map1(Long value) {
            return value;
        }

        @Override
        public Long map2(Long value) {
            return value;
        }
    }
}
