import Review
import ReviewFixtures
import Screen
import Testing
import Volumes

@Suite struct CineTests {
  @Test("a cine shows slice after slice of the active plane, and the first again after the last")
  func playing() throws {
    var state = try openedState()
    state.press(.end)
    state.type("V")
    #expect(state.cine == Cine(slicesPerSecond: 10))
    #expect(state.message == Message("cine, 10 slices per second; any key stops it"))
    let start = state.view.crosshair
    #expect(start.k == 15)
    var seen: [Int] = []
    for _ in 0..<17 {
      _ = reduce(&state, .cineAdvanced)
      seen.append(state.view.crosshair.k)
    }
    #expect(seen == Array(0..<16) + [0])
    #expect(state.view.crosshair.i == start.i && state.view.crosshair.j == start.j)
  }

  @Test(
    "any key, click or turn of the wheel stops a cine and does nothing else; without a cine no slice is due")
  func stopping() throws {
    let cell = ScreenCell(row: 5, column: 5)
    for event in [
      TerminalEvent.key("q"), .key(.escape), .key("y"), .paste("x"),
      .mouse(MouseEvent(action: .press, button: 1, cell: cell)),
      .mouse(MouseEvent(action: .wheelUp, button: 0, cell: cell)),
    ] {
      var state = try openedState()
      var expected = state
      state.type("V")
      _ = reduce(&state, .terminal(event))
      expected.message = nil
      expected.messageLog = state.messageLog
      #expect(state == expected)
      _ = reduce(&state, .cineAdvanced)
      #expect(state == expected)
    }
  }

  @Test("its rate can be typed, from 1 to 60 slices per second")
  func rates() throws {
    var state = try openedState()
    state.command("cine 25")
    #expect(state.cine == Cine(slicesPerSecond: 25))
    state.press(.escape)
    for typed in ["0.5", "61", "fast"] {
      state.command("cine \(typed)")
      #expect(state.cine == nil)
      #expect(state.message == Message("cine: type slices per second, 1 to 60", .error))
    }
  }

  @Test("an image of one slice has no cine")
  func oneSlice() throws {
    var state = try openedState(phantomCase(grid(GridSize(24, 20, 1))))
    state.type("V")
    #expect(state.cine == nil)
    #expect(state.message == Message("there is one axial slice", .warning))
  }
}

@Suite struct NudgeTests {
  @Test(
    "6 and 7 make the window narrower and wider by a tenth, 8 and 9 move its centre by a twentieth of its width"
  )
  func window() throws {
    var state = try openedState()
    state.command("window 40 400")
    func window(after keys: String) -> IntensityWindow {
      var changed = state
      changed.type(keys)
      #expect(changed.view.windowName == nil)
      #expect(changed.message?.text.hasPrefix("window ") == true)
      return changed.view.window
    }
    #expect(window(after: "7") == IntensityWindow(centre: 40, width: 400 * 1.1))
    #expect(window(after: "6") == IntensityWindow(centre: 40, width: 400 * (1 / 1.1)))
    #expect(window(after: "8") == IntensityWindow(centre: 20, width: 400))
    #expect(window(after: "9") == IntensityWindow(centre: 60, width: 400))
  }

  @Test("arrows move the crosshair by a pixel where pixels cover several voxels, h j k l always by a voxel")
  func steps() throws {
    let large = phantomCase(grid(GridSize(400, 300, 5)))
    var state = try openedState(large)
    state.view.crosshair = VoxelIndex(200, 150, 2)
    let pane = state.layout.panes[0]
    let pixel = state.projection(pane).pixel(of: state.view.crosshair)
    state.press(.right)
    let moved = state.projection(pane).pixel(of: state.view.crosshair)
    #expect(moved.x == pixel.x + 1 && moved.y == pixel.y)
    #expect(abs(state.view.crosshair.i - 200) > 1)
    let before = state.view.crosshair
    state.type("l")
    #expect(abs(state.view.crosshair.i - before.i) == 1)
    // Where a voxel covers several pixels a step is a voxel.
    for _ in 0..<16 { state.type("+") }
    let near = state.view.crosshair
    state.press(.left)
    #expect(abs(state.view.crosshair.i - near.i) == 1)
  }
}
