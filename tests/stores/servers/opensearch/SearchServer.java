import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** One OpenSearch node in this process: HTTP on loopback, its data in a folder. */
final class SearchServer extends Node {
    private SearchServer(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "tests"),
                List.of(Netty4Plugin.class, CommonAnalysisPlugin.class), true);
    }

    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[1]).toAbsolutePath();
        Settings.Builder settings = Settings.builder()
                .put("cluster.name", "recount-tests").put("node.name", "tests")
                .put("path.home", home).put("path.data", home.resolve("data"))
                .put("path.logs", home.resolve("logs"))
                .put("http.port", arguments[0]).put("network.host", "127.0.0.1")
                .put("transport.type", "netty4").put("http.type", "netty4")
                .put("transport.port", "0").put("discovery.type", "single-node")
                .put("action.auto_create_index", false)
                .put("cluster.routing.allocation.disk.threshold_enabled", false);
        for (int i = 2; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        SearchServer server = new SearchServer(settings.build());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { server.close(); } catch (Exception failure) { failure.printStackTrace(); }
        }));
        server.start();
        Thread.currentThread().join();
    }
}
