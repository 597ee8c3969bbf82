using Dapper;
using ImageForge.Contracts;
using ImageForge.Server.Boot;
using ImageForge.Server.Data;

namespace ImageForge.Server.Tests.Boot;

public sealed class BootTokensTests : IAsyncLifetime
{
    private static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:bb:01");
    private static readonly CancellationToken None = CancellationToken.None;

    private BootServer _server = null!;
    private BootTokens _tokens = null!;

    public async Task InitializeAsync()
    {
        _server = await BootServer.StartAsync();
        _tokens = _server.Server.Get<BootTokens>();
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    private async Task<TokenOutcome> RedeemAsync(string token, string nonce) => (await _tokens.RedeemAsync(token, nonce, None)).Outcome;

    private void After(TimeSpan time) => _server.Server.Clock.Advance(time);

    [Fact]
    public async Task A_token_lives_ten_minutes()
    {
        var early = await _tokens.MintAsync(1, Mac, None);
        After(TimeSpan.FromMinutes(9.9));
        var late = await _tokens.MintAsync(1, Mac, None);
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(early, "n"));
        After(TimeSpan.FromMinutes(10.1));
        Assert.Equal(TokenOutcome.Expired, await RedeemAsync(late, "n"));
    }

    [Fact]
    public async Task The_same_nonce_is_a_replay_for_a_minute_and_then_expired()
    {
        var token = await _tokens.MintAsync(7, Mac, None);
        Assert.Equal(new TokenRedemption(TokenOutcome.Ok, 7, Mac, false), await _tokens.RedeemAsync(token, "n", None));
        After(TimeSpan.FromSeconds(55));
        Assert.Equal(new TokenRedemption(TokenOutcome.Ok, 7, Mac, true), await _tokens.RedeemAsync(token, "n", None));
        After(TimeSpan.FromSeconds(10));
        Assert.Equal(TokenOutcome.Expired, await RedeemAsync(token, "n"));
    }

    [Fact]
    public async Task Another_nonce_is_refused_and_names_the_machine()
    {
        var token = await _tokens.MintAsync(7, Mac, None);
        await _tokens.RedeemAsync(token, "n", None);
        Assert.Equal(new TokenRedemption(TokenOutcome.OtherNonce, 7, Mac, false), await _tokens.RedeemAsync(token, "stolen", None));
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(token, "n"));
    }

    [Fact]
    public async Task A_replay_is_known_after_a_restart()
    {
        var token = await _tokens.MintAsync(7, Mac, None);
        await _tokens.RedeemAsync(token, "n", None);
        await _server.Server.RestartAsync();
        Assert.True((await _server.Server.Get<BootTokens>().RedeemAsync(token, "n", None)).Replay);
    }

    [Theory]
    [InlineData("")]
    [InlineData("one-time-token")]
    [InlineData("' OR 1=1 --")]
    public async Task A_guess_is_unknown(string token)
    {
        await _tokens.MintAsync(7, Mac, None);
        Assert.Equal(TokenOutcome.Unknown, await RedeemAsync(token, "n"));
    }

    [Fact]
    public async Task Revoking_ends_the_others_and_keeps_the_one_in_use()
    {
        var kept = await _tokens.MintAsync(7, Mac, None);
        var ended = await _tokens.MintAsync(7, Mac, None);
        var foreign = await _tokens.MintAsync(8, Mac, None);
        Assert.Equal(1, await _tokens.RevokeForTaskAsync(7, kept, None));
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(kept, "n"));
        Assert.Equal(TokenOutcome.Unknown, await RedeemAsync(ended, "n"));
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(foreign, "n"));
        Assert.Equal(1, await _tokens.RevokeForTaskAsync(7, null, None));
    }

    [Fact]
    public async Task A_redemption_that_is_rolled_back_did_not_burn_the_token()
    {
        var token = await _tokens.MintAsync(7, Mac, None);
        await Assert.ThrowsAsync<IOException>(() => _server.Server.Get<Database>().WriteAsync<bool>(async (_, transaction) =>
        {
            await _tokens.RedeemAsync(token, "first", None, transaction);
            throw new IOException("the check-in failed later");
        }, None));
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(token, "second"));
    }

    [Fact]
    public async Task Two_who_redeem_at_once_do_not_both_win()
    {
        var token = await _tokens.MintAsync(7, Mac, None);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => RedeemAsync(token, $"n{i}")));
        Assert.Single(outcomes, TokenOutcome.Ok);
        Assert.Equal(15, outcomes.Count(o => o == TokenOutcome.OtherNonce));
    }

    [Fact]
    public async Task The_database_never_holds_a_token_and_not_too_many_of_one_task()
    {
        var minted = new List<string>();
        for (var i = 0; i < 40; i++)
            minted.Add(await _tokens.MintAsync(7, Mac, None));
        await using var connection = await _server.Server.Get<Database>().OpenAsync(None);
        Assert.InRange(await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM boot_tokens"), 2, 16);
        Assert.Equal(TokenOutcome.Ok, await RedeemAsync(minted[^1], "n"));
        foreach (var file in Directory.GetFiles(_server.Server.DataFolder, "imageforge.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(minted[^1])));
        }
    }
}
