using System.Net;
using System.Text;

namespace ImageForge.Server.Tests.Jobs;

public sealed class RefusedOrderTests(RefusedOrderTests.Fixture fixture) : IClassFixture<RefusedOrderTests.Fixture>
{
    [Theory]
    [InlineData("""{"kind":"deploy","hosts":[],"image":"debian-12"}""", 400, "badHosts")]
    [InlineData("""{"kind":"deploy","hosts":["nonsense"],"image":"debian-12"}""", 400, "badMac")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:99"],"image":"debian-12"}""", 404, "noSuchHost")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"unheard-of"}""", 404, "noSuchImage")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"empty"}""", 404, "noSuchImage")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","version":3}""", 404, "noSuchImage")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","version":0}""", 400, "badVersion")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"]}""", 400, "badImage")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"../etc/passwd"}""", 400, "badImage")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01","52:54:00:00:00:02"],"image":"x"}""", 400, "badHosts")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","version":1}""", 400, "badVersion")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","chunkSize":1000000}""", 400, "badChunkSize")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","chunkSize":33554432}""", 400, "badChunkSize")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","level":20}""", 400, "badLevel")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","capture":{"dirty":"maybe"}}""", 400, "badJson")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","capture":{"dirty":"refuse"}}""", 400, "badCapture")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","capture":{"disks":[]}}""", 400, "badCaptureDisks")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","capture":{"disks":["A","a "]}}""", 400, "badCaptureDisks")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","capture":{"disks":["A",null]}}""", 400, "badCaptureDisks")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","disk":"A","capture":{"disks":["A","B"]}}""", 400, "badCaptureDisks")]
    [InlineData("""{"kind":"inventory","hosts":["52:54:00:00:00:01"],"image":"x"}""", 400, "badInventory")]
    [InlineData("""{"kind":"inventory","hosts":["52:54:00:00:00:01"],"dryRun":true}""", 400, "badDryRun")]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x","deploy":{}}""", 400, "badDeployChoices")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"rules":[]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"rules":[null]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"rules":[{"minBytes":0}]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"rules":[{"minBytes":2,"maxBytes":1}]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"rules":[{"serial":" "}]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","disk":"X","deploy":{"rules":[{}]}}""", 400, "badDiskRule")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[]}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[1,1]}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[0]}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[1],"fill":true}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[1],"identity":"randomise"}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[1],"rules":[{},{}]}}""", 400, "badVolumes")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"growVolume":1}}""", 400, "badGrowVolume")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"fill":true,"growVolume":-1}}""", 400, "badGrowVolume")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"fill":1}}""", 400, "badJson")]
    [InlineData("""{"kind":"format","hosts":["52:54:00:00:00:01"]}""", 400, "badJson")]
    [InlineData("""{"kind":1,"hosts":["52:54:00:00:00:01"]}""", 400, "badJson")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","after":"explode"}""", 400, "badJson")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","force":true}""", 400, "badJson")]
    [InlineData("""{"kind":"deploy","hosts":null,"image":"debian-12"}""", 400, "badJson")]
    [InlineData("""{"kind":"deploy",""", 400, "badJson")]
    [InlineData("", 400, "badRequest")]
    public async Task An_order_that_cannot_be_done_is_refused_and_leaves_nothing(string body, int status, string code)
    {
        var response = await fixture.Scene.Client.PostAsync("api/v1/jobs", new StringContent(body, Encoding.UTF8, "application/json"));
        var problem = await response.JsonAsync((HttpStatusCode)status);
        Assert.Equal(code, problem.Text("code"));
        Assert.NotEmpty(problem.Text("hint"));
        Assert.DoesNotContain("ImageForge.", problem.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, (await fixture.Scene.Client.GetAsync("api/v1/jobs", HttpStatusCode.OK)).GetProperty("total").GetInt64());
    }

    [Theory]
    [InlineData("""{"kind":"capture","hosts":["52:54:00:00:00:01"],"image":"x"}""", 400, "badPlan")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"unheard-of"}""", 404, "noSuchImage")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:99"],"image":"debian-12"}""", 404, "noSuchHost")]
    [InlineData("""{"kind":"deploy","hosts":["52:54:00:00:00:01"],"image":"debian-12","deploy":{"volumes":[]}}""", 400, "badVolumes")]
    public async Task A_plan_is_refused_for_the_same_reasons(string body, int status, string code)
    {
        var response = await fixture.Scene.Client.PostAsync("api/v1/jobs/plan", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal(code, (await response.JsonAsync((HttpStatusCode)status)).Text("code"));
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal JobScene Scene { get; private set; } = null!;

        public async Task InitializeAsync() => Scene = await JobScene.StartAsync();

        public async Task DisposeAsync() => await Scene.DisposeAsync();
    }
}
